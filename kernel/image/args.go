package image

import (
	"sort"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// argumentRegisters are the registers of the calling convention by their
// numbers in DWARF: rdi, rsi, rdx, rcx, r8, r9 (System V ABI, figure 3.36);
// x0 to x7 (AAPCS64 §6.4).
func argumentRegisters(arch elfbin.Arch) []uint8 {
	if arch == elfbin.ARM64 {
		return []uint8{0, 1, 2, 3, 4, 5, 6, 7}
	}
	return []uint8{5, 4, 1, 2, 8, 9}
}

// addArgs says of the clones what became of their parameters. The compiler
// drops some of a clone's, so that the others move up.
func (b *builder) addArgs(s *source, bin *sites.Binary) error {
	data := bin.Data()
	bodies := bodiesByEntry(data)
	reader, err := data.Params()
	if err != nil {
		return err
	}
	for _, f := range b.funcs {
		for i := range f.Symbols {
			y := &f.Symbols[i]
			if y.Kind != kernel.Clone || y.Module != s.module {
				continue
			}
			if fn, ok := bodies.at(y.Address); ok {
				y.Args = argsOf(reader, data, fn, argumentRegisters(s.arch))
			}
		}
	}
	return nil
}

// entries are bodies by address.
type entries struct {
	addr []uint64
	fn   []int32
}

func (e entries) Len() int           { return len(e.addr) }
func (e entries) Less(i, j int) bool { return e.addr[i] < e.addr[j] }
func (e entries) Swap(i, j int) {
	e.addr[i], e.addr[j] = e.addr[j], e.addr[i]
	e.fn[i], e.fn[j] = e.fn[j], e.fn[i]
}

func bodiesByEntry(data *dwarfinfo.Data) entries {
	var e entries
	for i := range data.Funcs {
		fn := &data.Funcs[i]
		if len(fn.Ranges) == 0 {
			continue
		}
		at := fn.Ranges[0].Low
		if fn.HasEntry {
			at = fn.EntryPC
		}
		e.addr, e.fn = append(e.addr, at), append(e.fn, int32(i))
	}
	sort.Sort(e)
	return e
}

// maxPatch is the space for patches, in bytes, that GCC before 13 counts as in
// front of an arm64 function.
const maxPatch = 8

// at gives the body that begins at a symbol.
func (e entries) at(addr uint64) (int32, bool) {
	i := sort.Search(len(e.addr), func(i int) bool { return e.addr[i] >= addr })
	if i == len(e.addr) || e.addr[i] > addr+maxPatch {
		return 0, false
	}
	return e.fn[i], true
}

// argsOf compares a body's parameters with those of the source; nil when they
// are not known or all where the calling convention has them.
func argsOf(r *dwarfinfo.ParamReader, data *dwarfinfo.Data, fn int32, registers []uint8) *kernel.Args {
	source, err := r.Of(data.Func(fn).Root)
	if err != nil || len(source) == 0 || len(source) > 127 {
		return nil
	}
	body, err := r.Of(fn)
	if err != nil {
		return nil
	}
	of := make(map[uint64]dwarfinfo.Param, len(body))
	for _, p := range body {
		of[p.Origin] = p
	}
	out := &kernel.Args{Place: make([]int8, len(source))}
	same := true
	for i, p := range source {
		out.Place[i] = placeOf(of, p.Offset, registers)
		same = same && out.Place[i] == int8(i)
	}
	if same {
		return nil
	}
	return out
}

// placeOf gives a parameter's place in a body.
func placeOf(of map[uint64]dwarfinfo.Param, param uint64, registers []uint8) int8 {
	p, ok := of[param]
	if !ok {
		return kernel.ArgGone
	}
	switch p.Place {
	case dwarfinfo.InRegister:
		for i, r := range registers {
			if r == p.Reg {
				return int8(i)
			}
		}
		return kernel.ArgElsewhere
	case dwarfinfo.NoPlace, dwarfinfo.IsConstant:
		return kernel.ArgGone
	}
	return kernel.ArgElsewhere
}
