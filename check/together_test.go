package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// nestingKernel is a kernel with the functions that nesting is judged by.
// modern: it counts what it skips, runs programs of system calls' tracepoints
// without a guard, and prints without a lock.
func nestingKernel(name string, modern bool) *kernel.Snapshot {
	s := &kernel.Snapshot{ID: kernel.Identity{Name: name}, Options: map[string]string{}}
	add := func(names ...string) {
		for _, n := range names {
			s.Functions = append(s.Functions, kernel.Function{Name: n, BTF: kernel.Yes, Symbols: []kernel.Symbol{{Name: n, Traceable: kernel.Yes}}})
		}
	}
	call := func(path ...string) {
		for i := range path[1:] {
			s.Edges = append(s.Edges, kernel.Call{Caller: path[i], Callee: path[i+1]})
		}
	}
	always := func(path ...string) {
		for i := range path[1:] {
			s.Edges = append(s.Edges, kernel.Call{Caller: path[i], Callee: path[i+1], Made: kernel.Always})
		}
	}
	add("vfs_read", "bpf_trace_printk", "__traceiter_bpf_trace_printk", "__traceiter_contention_begin", "htab_map_update_elem", "alloc_elem", "a", "b", "c", "d", "trace_call_bpf",
		"bpf_get_stack", "bpf_get_stack_tp", "e", "f", "g", "h", "i", "lookup", "tp_only", "charge", "charged",
		"hrtimer_interrupt", "tick", "queued_spin_lock_slowpath", "bpf_prog_inc_misses_counter")
	always("bpf_trace_printk", "__traceiter_bpf_trace_printk")
	call("bpf_trace_printk", "queued_spin_lock_slowpath", "__traceiter_contention_begin")
	always("htab_map_update_elem", "alloc_elem")
	call("alloc_elem", "a", "b", "c", "d")
	s.Edges = append(s.Edges, kernel.Call{Caller: "alloc_elem", Callee: "charge", Made: kernel.UnlessFails})
	always("charge", "charged")
	always("bpf_get_stack_tp", "bpf_get_stack", "e", "f", "g", "h", "i")
	call("bpf_get_stack", "lookup")
	always("bpf_get_stack_tp", "tp_only")
	call("hrtimer_interrupt", "tick")
	missed := make([]kernel.Param, 6)
	if modern {
		add("trace_call_bpf_faultable")
		call("trace_call_bpf", "bpf_prog_inc_misses_counter")
		missed = make([]kernel.Param, 7)
	} else {
		call("bpf_trace_printk", "_raw_spin_lock_irqsave")
	}
	s.Functions = append(s.Functions, kernel.Function{Name: "bpf_get_perf_event_info", Protos: []kernel.Proto{{Params: missed}}})
	for _, raw := range []string{"bpf_trace_printk", "contention_begin"} {
		s.Events = append(s.Events, kernel.Tracepoint{System: "x", Name: raw, Raw: raw})
	}
	s.Events = append(s.Events, kernel.Tracepoint{System: "syscalls", Name: "sys_enter_read"})
	s.Sort()
	return s
}

func attached(t *testing.T, text string, calls ...string) Part {
	t.Helper()
	h, err := hook.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return Part{Hook: h, Calls: calls}
}

// TestTogether: what is said of an inner hook inside of an outer one whose
// program prints and updates a map.
func TestTogether(t *testing.T) {
	for _, c := range []struct {
		outer, inner string
		old, modern  string // fires, skipped, layer, counted
	}{
		{"kprobe:vfs_read", "kprobe:htab_map_update_elem", "yes yes attach no", "yes yes attach yes"},
		{"kprobe:vfs_read", "kprobe.multi:htab_map_update_elem", "yes yes program no", "yes yes program no"},
		{"kprobe.multi:vfs_read", "kprobe:htab_map_update_elem", "yes yes program no", "yes yes program yes"},
		{"kprobe:vfs_read", "tracepoint:x:bpf_trace_printk", "yes yes program no", "yes yes program yes"},
		{"tracepoint:x:contention_begin", "tracepoint:x:bpf_trace_printk", "yes yes attach no", "yes yes attach no"},
		{"tracepoint:syscalls:sys_enter_read", "tracepoint:x:bpf_trace_printk", "yes yes attach no", "yes no  not known"},
		{"tracepoint:syscalls:sys_enter_read", "kprobe:b", "yes yes program no", "yes no  not known"},
		{"fentry:vfs_read", "kprobe:htab_map_update_elem", "yes no  not known", "yes no  not known"},
		{"kprobe:vfs_read", "fentry:htab_map_update_elem", "yes no  not known", "yes no  not known"},
		{"kprobe:vfs_read", "rawtracepoint:bpf_trace_printk", "yes no  not known", "yes no  not known"},
		{"kprobe:vfs_read", "kprobe:b", "yes yes attach no", "yes yes attach yes"},
		{"kprobe:vfs_read", "kprobe:c", "unlikely yes attach no", "unlikely yes attach yes"}, // four calls away
		{"kprobe:vfs_read", "tracepoint:x:contention_begin", "unlikely yes program no", "unlikely yes program yes"},
		{"kprobe:vfs_read", "kprobe:tick", "not known not known  not known", "not known not known  not known"},
		{"kprobe:vfs_read", "uprobe:/bin/x:main", "no no  not known", "no no  not known"},
	} {
		f := NewFleet([]kernel.Kernel{nestingKernel("old", false), nestingKernel("modern", true)}, nil)
		list, err := f.Together([]Part{attached(t, c.outer, "bpf_trace_printk", "htab_map_update_elem"), attached(t, c.inner, "bpf_ktime_get_ns")})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, n := range list {
			if n.Outer.String() != c.outer {
				continue
			}
			fires := n.Fires.String()
			if n.Unlikely {
				fires = "unlikely"
			}
			counted := n.Counted
			if n.Skipped != kernel.Yes {
				counted = kernel.NotKnown
			}
			got[n.Kernel] = strings.Join([]string{fires, n.Skipped.String(), string(n.Layer), counted.String()}, " ")
			if n.Skipped == kernel.No && n.Layer != "" {
				got[n.Kernel] = strings.Join([]string{fires, n.Skipped.String(), "", counted.String()}, " ")
			}
		}
		if got["old"] != c.old || got["modern"] != c.modern {
			t.Errorf("%s in %s: old %q, modern %q; want %q, %q", c.inner, c.outer, got["old"], got["modern"], c.old, c.modern)
		}
	}
}

// TestCertainNesting: whether a helper leads to a hook each time, and if not, why.
func TestCertainNesting(t *testing.T) {
	for _, c := range []struct {
		outer, helper, inner string
		condition            string // "": it is certain
	}{
		{"kprobe:vfs_read", "bpf_trace_printk", "tracepoint:x:bpf_trace_printk", ""},
		{"kprobe:vfs_read", "bpf_trace_printk", "rawtracepoint:bpf_trace_printk", ""},
		{"kprobe:vfs_read", "bpf_trace_printk", "kprobe:__traceiter_bpf_trace_printk", "only while a probe is on its tracepoint"},
		{"kprobe:vfs_read", "bpf_trace_printk", "kprobe:bpf_trace_printk", ""},
		{"kprobe:vfs_read", "bpf_trace_printk", "kprobe:bpf_trace_printk+0x10", "may not come to the place inside"},
		{"kprobe:vfs_read", "htab_map_update_elem", "kprobe:alloc_elem", ""},
		{"kprobe:vfs_read", "htab_map_update_elem", "kprobe:a", "alloc_elem calls a under some condition"},
		{"kprobe:vfs_read", "htab_map_update_elem", "kprobe:b", "alloc_elem calls a under some condition"},
		{"kprobe:vfs_read", "htab_map_update_elem", "kprobe:charge", "unless alloc_elem fails"},
		{"kprobe:vfs_read", "htab_map_update_elem", "kprobe:charged", "unless alloc_elem fails"},
		{"kprobe:vfs_read", "htab_map_update_elem", "kprobe:charged+0x10", "may not come to the place inside"},
		{"kprobe:vfs_read", "bpf_map_update_elem", "kprobe:alloc_elem", ""},
		{"kprobe:vfs_read", "bpf_get_stack", "kprobe:f", ""},
		{"kprobe:vfs_read", "bpf_get_stack", "kprobe:i", ""}, // however far
		{"kprobe:vfs_read", "bpf_get_stack", "kprobe:lookup", "bpf_get_stack calls lookup under some condition"},
		{"tracepoint:x:contention_begin", "bpf_get_stack", "kprobe:tp_only", ""},
		{"tracepoint:x:contention_begin", "bpf_get_stack", "kprobe:i", ""},
		{"kprobe:vfs_read", "bpf_get_stack", "kprobe:tp_only", "which function bpf_get_stack begins with is not known"},
		{"fentry:vfs_read", "bpf_get_stack", "kprobe:tp_only", "which function bpf_get_stack begins with is not known"},
		{"fentry:vfs_read", "bpf_get_stack", "kprobe:f", ""},
	} {
		k := nestingKernel("k", true)
		list, err := NewFleet([]kernel.Kernel{k}, nil).Together([]Part{attached(t, c.outer, c.helper), attached(t, c.inner, "none")})
		if err != nil {
			t.Fatal(err)
		}
		n := list[0]
		if n.Fires != kernel.Yes || (n.Made == kernel.Always) != (c.condition == "") || !strings.Contains(n.Condition, c.condition) || (n.Made == kernel.UnlessFails) != strings.HasPrefix(c.condition, "unless") || n.Made == kernel.Always && (n.Condition != "" || n.Unlikely) {
			t.Errorf("%s, %s, %s: %+v", c.outer, c.helper, c.inner, n)
		}
		k.Unknown[kernel.CertainCalls] = "no tables"
		for i := range k.Edges {
			k.Edges[i].Made = kernel.Sometimes
		}
		if list, err = NewFleet([]kernel.Kernel{k}, nil).Together([]Part{attached(t, c.outer, c.helper), attached(t, c.inner, "none")}); err != nil {
			t.Fatal(err)
		}
		if n := list[0]; len(n.Path) > 1 && (n.Made != kernel.Sometimes || !strings.Contains(n.Condition, "no tables")) {
			t.Errorf("%s, %s, %s, without the fact: %+v", c.outer, c.helper, c.inner, n)
		}
	}
}

func TestStarving(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []Part
		want  []string // rules on the old kernel
		out   string   // in a remedy
	}{
		{"starved", []Part{attached(t, "kprobe:vfs_read", "bpf_trace_printk"), attached(t, "tracepoint:x:bpf_trace_printk", "none")}, []string{"SH601"}, "rawtracepoint:bpf_trace_printk"},
		{"fentry", []Part{attached(t, "kprobe:vfs_read", "htab_map_update_elem"), attached(t, "kretprobe:alloc_elem", "none")}, []string{"SH601"}, "fexit:alloc_elem"},
		{"unless it fails", []Part{attached(t, "kprobe:vfs_read", "htab_map_update_elem"), attached(t, "kretprobe:charged", "none")}, []string{"SH601"}, "fexit:charged"},
		{"under a condition", []Part{attached(t, "kprobe:vfs_read", "htab_map_update_elem"), attached(t, "kretprobe:a", "none")}, []string{"SH602"}, "fexit:a"},
		{"programs not known", []Part{attached(t, "kprobe:vfs_read"), attached(t, "kprobe:alloc_elem")}, []string{"SH602"}, "fentry:alloc_elem"},
		{"contended", []Part{attached(t, "kprobe:vfs_read", "bpf_trace_printk"), attached(t, "tracepoint:x:contention_begin", "none")}, []string{"SH602"}, "rawtracepoint:contention_begin"},
		{"interrupt", []Part{attached(t, "kprobe:vfs_read", "none"), attached(t, "kprobe:tick", "none")}, []string{"SH603"}, "fentry:tick"},
		{"deadlock", []Part{attached(t, "fentry:vfs_read", "bpf_trace_printk"), attached(t, "rawtracepoint:bpf_trace_printk", "bpf_trace_printk")}, []string{"SH604"}, "ring buffer"},
		{"no calls", []Part{attached(t, "kprobe:vfs_read", "none"), attached(t, "kprobe:alloc_elem", "none")}, nil, ""},
		{"not starved", []Part{attached(t, "fentry:vfs_read", "bpf_trace_printk"), attached(t, "tracepoint:x:bpf_trace_printk", "none")}, nil, ""},
	} {
		found, err := NewFleet([]kernel.Kernel{nestingKernel("old", false)}, nil).Starving(c.parts)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		remedies := ""
		for _, f := range found {
			got = append(got, string(f.Rule))
			remedies += f.Remedy
			if f.Kernel != "old" || f.Message == "" || f.Hook != c.parts[1].Hook {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if !slices.Equal(got, c.want) || !strings.Contains(remedies, c.out) {
			t.Errorf("%s: %v, remedies %q; want %v and %q", c.name, got, remedies, c.want, c.out)
		}
	}
}

// TestTogetherNotKnown: without the calls inside the kernel nothing is said.
func TestTogetherNotKnown(t *testing.T) {
	k := nestingKernel("k", true)
	k.Unknown[kernel.Calls] = "no code"
	parts := []Part{attached(t, "kprobe:vfs_read", "bpf_trace_printk"), attached(t, "tracepoint:x:bpf_trace_printk")}
	list, err := NewFleet([]kernel.Kernel{k}, nil).Together(parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		if n.Fires != kernel.NotKnown || n.Why == "" {
			t.Errorf("%+v", n)
		}
	}
	found, err := NewFleet([]kernel.Kernel{k}, nil).Starving(parts)
	if err != nil || len(found) != 0 {
		t.Errorf("%v %v", found, err)
	}
}

func TestOnMaps(t *testing.T) {
	hash, ring := mapOf(1), mapOf(27)
	for _, c := range []struct {
		constant string
		maps     []bpfobj.MapUse
		want     []string
	}{
		{"BPF_FUNC_trace_printk", nil, []string{"bpf_trace_printk"}},
		{"BPF_FUNC_map_update_elem", []bpfobj.MapUse{hash}, []string{"htab_map_update_elem"}},
		{"BPF_FUNC_map_update_elem", []bpfobj.MapUse{hash, ring}, []string{"bpf_map_update_elem"}},
		{"", nil, nil},
	} {
		if got := onMaps(c.constant, c.maps); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.constant, got, c.want)
		}
	}
}

func mapOf(kind uint32) bpfobj.MapUse {
	var m bpfobj.MapUse
	m.Type = kind
	return m
}
