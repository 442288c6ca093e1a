package bpfobj

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
	kbtf "github.com/surehook/surehook/kernel/btf"
)

// code is the instructions of an object with what is known of them.
type code struct {
	o       *object
	types   *types // nil without BTF
	ext     *extended
	targets map[place]target     // of ELF relocations
	relos   []Relocation         // in the order of sections and instructions
	reloAt  map[place]int        // index in relos
	maps    map[string]Map       // by symbol
	kconfig map[string]bool      // names in .kconfig
	externs map[string]bool      // functions of the kernel
	outside []string             // all names of both that it uses, sorted
	at      string               // stands before places
	lines   map[string][]lineRef // by section, by slot
}

// place is an instruction slot in a section.
type place struct{ section, slot int }

// target is what an ELF relocation names.
type target struct {
	kind    targetKind
	name    string // symbol
	section string // of data
	at      place  // of a function
}

type targetKind uint8

const (
	targetData   targetKind = iota // a section with data
	targetMap                      // a map
	targetCode                     // a function
	targetExtern                   // a kernel's symbol, or one of .kconfig
)

type lineRef struct {
	slot int
	text string
}

// Map is a map that an object defines.
type Map struct {
	Name string
	Type uint32 // enum bpf_map_type
}

func (o *object) readCode(at string) (*code, error) {
	c := &code{o: o, at: at, targets: map[place]target{}, reloAt: map[place]int{}, maps: map[string]Map{}, kconfig: map[string]bool{}, externs: map[string]bool{}, lines: map[string][]lineRef{}}
	var err error
	if c.types, err = o.readTypes(); err != nil {
		return nil, err
	}
	if c.ext, err = o.readExtended(c.types); err != nil {
		return nil, err
	}
	if err := c.readTargets(); err != nil {
		return nil, err
	}
	if c.types == nil {
		return c, nil
	}
	c.readLines()
	c.readDatasecs()
	for _, t := range c.targets {
		if t.kind == targetExtern {
			c.outside = append(c.outside, t.name)
		}
	}
	slices.Sort(c.outside)
	c.outside = slices.Compact(c.outside)
	return c, c.readRelos()
}

// readTargets reads the ELF relocations of code (R_BPF_64_64 and R_BPF_64_32).
func (c *code) readTargets() error {
	le := binary.LittleEndian
	for i := range c.o.sections {
		s := &c.o.sections[i]
		if s.typ != elf.SHT_REL || int(s.info) >= len(c.o.sections) || !c.o.sections[s.info].code() {
			continue
		}
		for at := 0; at+relSize <= len(s.data); at += relSize {
			offset, info := le.Uint64(s.data[at:]), le.Uint64(s.data[at+8:])
			n := info >> 32
			if n >= uint64(len(c.o.symbols)) || offset%insnSize != 0 || offset >= uint64(len(c.o.sections[s.info].data)) {
				return c.o.bad(s.name, uint64(at), "a relocation of byte %#x by symbol %d, which are not both there", offset, n)
			}
			c.targets[place{int(s.info), int(offset / insnSize)}] = c.target(&c.o.symbols[n])
		}
	}
	return nil
}

func (c *code) target(y *symbol) target {
	index := int(y.section)
	if y.section == elf.SHN_UNDEF || index >= len(c.o.sections) {
		return target{kind: targetExtern, name: y.name}
	}
	s := &c.o.sections[index]
	t := target{name: cmp.Or(y.name, s.name), section: s.name}
	switch {
	case s.code():
		t.kind, t.at = targetCode, place{index, int(min(y.value, maxObject) / insnSize)}
	case s.name == ".maps" || s.name == "maps":
		t.kind = targetMap
	}
	return t
}

func (c *code) readLines() {
	for name, list := range c.ext.lines {
		var refs []lineRef
		for _, r := range list {
			file, ok := text(c.types.strings, r.data[0])
			line, ok2 := text(c.types.strings, r.data[1])
			if ok && ok2 {
				refs = append(refs, lineRef{r.slot, sourceLine(file, r.data[2]>>10, line)})
			}
		}
		slices.SortStableFunc(refs, func(a, b lineRef) int { return cmp.Compare(a.slot, b.slot) })
		c.lines[name] = refs
	}
}

// readRelos reads the CO-RE relocations. One that cannot be read is an error:
// no loader would take the object either.
func (c *code) readRelos() error {
	for i := range c.o.sections {
		s := &c.o.sections[i]
		if !s.code() {
			continue
		}
		for _, r := range c.ext.relos[s.name] {
			relo, err := c.types.relocation(r)
			if err != nil {
				return &FormatError{c.o.path, s.name, uint64(r.slot) * insnSize, fmt.Errorf("CO-RE relocation: %w", err)}
			}
			at := place{i, r.slot}
			c.reloAt[at] = len(c.relos)
			c.relos = append(c.relos, Relocation{Relo: relo, Where: c.where(at), Line: c.line(at)})
		}
	}
	return nil
}

// where is a place in words.
func (c *code) where(p place) string {
	return fmt.Sprintf("%s%s+%#x", c.at, c.o.sections[p.section].name, p.slot*insnSize)
}

// line is the source line of a place, "" if it is not recorded.
func (c *code) line(p place) string {
	refs := c.lines[c.o.sections[p.section].name]
	i, found := slices.BinarySearchFunc(refs, p.slot, func(r lineRef, slot int) int { return cmp.Compare(r.slot, slot) })
	if !found {
		i--
	}
	if i < 0 {
		return ""
	}
	return refs[i].text
}

// readDatasecs finds the types of maps, the names of .kconfig, and functions of
// the kernel.
func (c *code) readDatasecs() {
	for typ, err := range c.types.spec.All() {
		if err != nil {
			return // the spec was read whole before
		}
		if fn, ok := typ.(*btf.Func); ok && fn.Linkage == btf.ExternFunc {
			c.externs[fn.Name] = true
		}
		d, ok := typ.(*btf.Datasec)
		if !ok {
			continue
		}
		for _, v := range d.Vars {
			switch d.Name {
			case ".maps":
				if m, ok := mapOf(v.Type); ok {
					c.maps[m.Name] = m
				}
			case ".kconfig":
				c.kconfig[v.Type.TypeName()] = true
			}
		}
	}
}

// mapOf reads a map's definition: its type is the length of the array that the
// member "type" points to (__uint in bpf_helpers.h).
func mapOf(t btf.Type) (Map, bool) {
	v, ok := t.(*btf.Var)
	if !ok {
		return Map{}, false
	}
	s, ok := btf.UnderlyingType(v.Type).(*btf.Struct)
	if !ok {
		return Map{}, false
	}
	for _, m := range s.Members {
		if m.Name != "type" {
			continue
		}
		if p, ok := m.Type.(*btf.Pointer); ok {
			if a, ok := p.Target.(*btf.Array); ok {
				return Map{Name: v.Name, Type: a.Nelems}, true
			}
		}
	}
	return Map{}, false
}

// param gives the type of the context that a function declares; "" if it is
// not known.
func (c *code) context(at place) kernel.Type {
	if c.types == nil {
		return ""
	}
	for _, r := range c.ext.functions[c.o.sections[at.section].name] {
		if r.slot != at.slot {
			continue
		}
		t, err := c.types.spec.TypeByID(btf.TypeID(r.data[0]))
		if err != nil {
			return ""
		}
		if f, ok := t.(*btf.Func); ok {
			if p, ok := f.Type.(*btf.FuncProto); ok && len(p.Params) > 0 {
				return kbtf.Text(p.Params[0].Type)
			}
		}
	}
	return ""
}

// sourceLine is a line of the source for people: the file's last name is enough.
func sourceLine(file string, line uint32, text string) string {
	return fmt.Sprintf("%s:%d: %s", path.Base(file), line, strings.TrimSpace(text))
}
