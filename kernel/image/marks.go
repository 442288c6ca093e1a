package image

import (
	"slices"
	"sort"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
)

// marks is what the kernel's tables say of where probes may stand.
type marks struct {
	ftrace   []uint64 // places of ftrace by address; nil when not known
	listed   []uint64 // of the kprobe blacklist, by address
	refuse   []elfbin.Range
	black    bool // the blacklist is known
	arch     elfbin.Arch
	noFtrace bool
}

// refusedRanges are where no kprobe may stand: kernel/kprobes.c
// (populate_kprobe_blacklist) and arch_populate_kprobe_blacklist of both
// architectures. Bounds that a kernel lacks are passed over.
func refusedRanges(arch elfbin.Arch) []string {
	out := []string{"__kprobes_text", "__noinstr_text", "__entry_text"}
	if arch == elfbin.ARM64 {
		out = append(out, "__irqentry_text", "__exception_text", "__hyp_text", "__hyp_idmap_text")
	}
	return out
}

// readMarks reads the tables of the kernel or of a module.
func (b *builder) readMarks(s *source) *marks {
	m := &marks{arch: s.arch}
	if places, ok := s.table("__start_mcount_loc", "__stop_mcount_loc", "__mcount_loc", "__patchable_function_entries"); ok {
		m.ftrace = places
		slices.Sort(m.ftrace)
	} else {
		b.missing(kernel.Ftrace, "the file does not name the table of ftrace's locations (__start_mcount_loc)")
		m.noFtrace = true
	}
	if places, ok := s.table("__start_kprobe_blacklist", "__stop_kprobe_blacklist", "_kprobe_blacklist"); ok {
		m.listed, m.black = places, true
		slices.Sort(m.listed)
	} else {
		b.missing(kernel.Blacklist, "the file does not name the table of refused kprobes (__start_kprobe_blacklist)")
	}
	for _, name := range refusedRanges(s.arch) {
		if low, high, ok := s.bounds(name+"_start", name+"_end"); ok && low < high {
			m.refuse = append(m.refuse, elfbin.Range{Low: low, High: high})
		}
	}
	if s.module != "" { // add_module_kprobe_blacklist
		m.refuse = append(s.sections(".kprobes.text"), s.sections(".noinstr.text")...)
	}
	return m
}

// lead is how far in front of an arm64 function its ftrace location may lie:
// two instructions' space for a pointer (CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS).
const lead = 8

// traceable tells whether ftrace has a place in the function.
func (m *marks) traceable(y *symbol) kernel.Answer {
	if m.noFtrace {
		return kernel.NotKnown
	}
	low := y.addr
	if m.arch == elfbin.ARM64 {
		low -= min(lead, low)
	}
	i := sort.Search(len(m.ftrace), func(i int) bool { return m.ftrace[i] >= low })
	return kernel.Is(i < len(m.ftrace) && m.ftrace[i] < y.addr+max(1, y.size))
}

// refused tells whether the kernel refuses kprobes in the function.
func (m *marks) refused(y *symbol) kernel.Answer {
	if !m.black {
		return kernel.NotKnown
	}
	i := sort.Search(len(m.listed), func(i int) bool { return m.listed[i] >= y.addr })
	if i < len(m.listed) && m.listed[i] < y.addr+max(1, y.size) {
		return kernel.Yes
	}
	return kernel.Is(slices.ContainsFunc(m.refuse, func(r elfbin.Range) bool { return r.Contains(y.addr) }))
}
