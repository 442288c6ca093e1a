package bpfobj

import (
	"cmp"
	"debug/elf"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj/loader"
	"github.com/surehook/surehook/hook"
)

// A skeleton (bpftool gen skeleton) begins with pointers to struct
// bpf_object_skeleton and struct bpf_object; then come one for each map, and one
// for each program in libbpf's order: by section, then by place.
const (
	pointerSize  = 8
	firstPointer = 2 * pointerSize
)

// skeleton is that of an object of an executable.
type skeleton struct {
	loader.Skeleton
	programs []int // index in File.Programs; -1: one that is not judged
}

func (k *skeleton) add(program int) {
	k.programs = append(k.programs, program)
	k.Programs = len(k.programs)
}

// mapCount is how many maps libbpf makes for the object: those that it
// defines, those of its data, and that of .kconfig.
func (c *code) mapCount() int {
	n := 0
	for _, y := range c.o.symbols {
		if int(y.section) < len(c.o.sections) && y.kind == elf.STT_OBJECT {
			if name := c.o.sections[y.section].name; name == ".maps" || name == "maps" {
				n++
			}
		}
	}
	for i := range c.o.sections {
		s := &c.o.sections[i]
		if s.size == 0 {
			continue
		}
		data := s.typ == elf.SHT_PROGBITS && !s.code()
		for _, name := range []string{".data", ".rodata"} {
			if data && (s.name == name || strings.HasPrefix(s.name, name+".")) {
				n++
			}
		}
		if s.typ == elf.SHT_NOBITS && s.name == ".bss" {
			n++
		}
	}
	if len(c.kconfig) > 0 {
		n++
	}
	return n
}

// readLoader notes what the executable does with the programs.
func (f *File) readLoader(r io.ReaderAt, size int64, list []*skeleton) error {
	if len(f.Programs) == 0 {
		return nil
	}
	var skeletons []loader.Skeleton
	for _, k := range list {
		skeletons = append(skeletons, k.Skeleton)
	}
	found, err := loader.Read(r, size, skeletons)
	if err != nil {
		return err
	}
	for i := range f.Programs {
		f.Programs[i].LoaderNotKnown = found.NotKnown
	}
	for i, k := range list {
		for j, n := range k.programs {
			if n >= 0 {
				f.Programs[n].loaded(found.Acts[i][j])
			}
		}
	}
	return nil
}

// loaded notes what a loader does, and adds the places that it names to the
// program's hooks: one of them will do.
func (p *Program) loaded(acts []loader.Act) {
	p.Loader = acts
	kind, _, _ := strings.Cut(strings.TrimPrefix(p.Section, "?"), "/")
	named := false
	for _, a := range acts {
		if a.Kind != loader.Names {
			continue
		}
		if a.Target == "" {
			p.HookNotKnown = cmp.Or(p.HookNotKnown, fmt.Sprintf("its loader names a place at run time, in the call at %#x", a.Where))
			continue
		}
		h, err := hook.Parse(spelling(kind, a.Target))
		if err != nil || slices.ContainsFunc(p.Hooks, func(o hook.Hook) bool {
			return o.String() == h.String() || o.Function == h.Function && o.Kind == h.Kind
		}) {
			continue
		}
		h.Text = cmp.Or(h.Text, spelling(kind, a.Target))
		p.Hooks = append(p.Hooks, h)
		p.AnyOf, named = true, true
	}
	if named && !slices.ContainsFunc(acts, func(a loader.Act) bool { return a.Kind == loader.Names && a.Target == "" }) {
		p.HookNotKnown = "" // that the section names none
	}
	p.AnyOf = p.AnyOf && len(p.Hooks) > 1
}
