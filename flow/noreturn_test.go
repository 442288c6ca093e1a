package flow

import (
	"debug/elf"
	"encoding/binary"
	"slices"

	"github.com/surehook/surehook/elfbin"
)

// noReturnNames are the library functions that the tested programs use.
var noReturnNames = map[string]bool{
	"abort": true, "exit": true, "_exit": true, "longjmp": true, "_longjmp": true, "__longjmp_chk": true, "siglongjmp": true,
	"__stack_chk_fail": true, "__assert_fail": true, "__assert": true, "__libc_start_main": true,
	"__fortify_fail": true, "__chk_fail": true, "pthread_exit": true,
}

// stubNames maps procedure linkage stubs to the functions they lead to.
func (im *fileImage) stubNames() map[uint64]string {
	slots := map[uint64]string{}
	dyn, _ := im.file.DynamicSymbols()
	for _, s := range im.file.Sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		b, _ := s.Data()
		for ; len(b) >= 24; b = b[24:] {
			if n := binary.LittleEndian.Uint64(b[8:]) >> 32; n > 0 && int(n) <= len(dyn) {
				slots[binary.LittleEndian.Uint64(b)] = dyn[n-1].Name
			}
		}
	}
	names := map[uint64]string{}
	for _, s := range im.file.Sections {
		if s.Name != ".plt" && s.Name != ".plt.sec" && s.Name != ".plt.got" {
			continue
		}
		for addr := s.Addr; addr < s.Addr+s.Size; addr += 8 {
			if name, ok := slots[im.stubSlot(addr)]; ok {
				names[addr] = name
			}
		}
	}
	return names
}

// stubSlot gives the slot that a stub at addr jumps through.
func (im *fileImage) stubSlot(addr uint64) uint64 {
	if im.arch == elfbin.ARM64 {
		b := im.Bytes(addr, 8)
		if len(b) < 8 {
			return 0
		}
		w, l := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if w&0x9f00001f != 0x90000010 || l&0xffc003ff != 0xf9400211 {
			return 0
		}
		page := addr&^0xfff + uint64(signExtend(uint64(w>>5&0x7ffff)<<2|uint64(w>>29&3), 21)<<12)
		return page + uint64(l>>10&0xfff)*8
	}
	for range 2 {
		in, ok := decodeX86(im.Bytes(addr, x86MaxLen), addr)
		switch {
		case !ok:
			return 0
		case in.Kind == IndirectJump && in.Cond.PCRel:
			return in.Addr + uint64(in.Cond.Disp)
		case !in.Nop:
			return 0
		}
		addr = in.End()
	}
	return 0
}

// noReturn finds the functions that never return, to a fixed point.
func (im *fileImage) noReturn() func(uint64) bool {
	never := map[uint64]bool{}
	for addr, name := range im.stubNames() {
		if noReturnNames[name] {
			never[addr] = true
		}
	}
	fs := im.functions()
	known := func(addr uint64) bool { return never[addr] }
	for more := true; more; {
		more = false
		for _, f := range fs {
			if noReturnNames[f.name] {
				never[f.entry] = true
			}
			if !never[f.entry] && NeverReturns(im.options(f), known) {
				never[f.entry], more = true, true
			}
		}
	}
	return known
}

func (im *fileImage) options(f function) Options {
	return Options{Arch: im.arch, Image: im, Entry: f.entry, Ranges: f.ranges, Data: im.dataStarts()}
}

// dataStarts are the addresses where data begins or ends, by code, symbols
// and sections.
func (im *fileImage) dataStarts() []uint64 {
	if im.starts == nil {
		taken, err := AddressesTaken(im, im.arch, im.code())
		if err != nil {
			panic(err)
		}
		im.starts = append(taken.Data, 0)
		for _, s := range im.syms {
			if elf.ST_TYPE(s.Info) == elf.STT_OBJECT {
				im.starts = append(im.starts, s.Value, s.Value+s.Size)
			}
		}
		for _, s := range im.file.Sections {
			if s.Flags&elf.SHF_ALLOC != 0 {
				im.starts = append(im.starts, s.Addr, s.Addr+s.Size)
			}
		}
		slices.Sort(im.starts)
	}
	return im.starts
}

// code is all code of the functions.
func (im *fileImage) code() []elfbin.Range {
	var code []elfbin.Range
	for _, f := range im.functions() {
		code = append(code, f.ranges...)
	}
	return code
}
