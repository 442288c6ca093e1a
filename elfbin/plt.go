package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"maps"
	"sync"
)

// PLT gives the functions behind the stubs of the procedure linkage tables,
// by the stub's virtual address: the imported symbol's name, or of a call
// within the file through an IFUNC that symbol's name. Stubs are recognised
// by the GOT slot they jump through, not by their number. A relocatable file
// has none: there the undefined symbols by the address that calls of them have.
func (f *File) PLT() map[uint64]string { return maps.Clone(f.plt()) }

func (f *File) readPLT() map[uint64]string {
	if f.typ == elf.ET_REL {
		return f.externs()
	}
	out := map[uint64]string{}
	resolvers := sync.OnceValue(f.resolverNames)
	total := uint64(0)
	for _, name := range []string{".plt", ".plt.sec", ".plt.got", ".iplt"} {
		i := f.sectionIndex(name)
		if i < 0 || !f.sections[i].stored() {
			continue
		}
		s := f.sections[i]
		b, err := f.sectionData(i)
		if total += uint64(len(b)); err != nil || total > maxPLT {
			continue
		}
		decode, step := stubAMD64, uint64(8)
		if f.arch == ARM64 {
			decode, step = stubARM64, 4
		}
		for at := uint64(0); at < uint64(len(b)); {
			n, slot, ok := decode(b[at:], s.Addr+at)
			if name := f.slotName(slot, resolvers); ok && name != "" {
				out[s.Addr+at] = name
				at += (n + step - 1) / step * step
				continue
			}
			at += step
		}
	}
	return out
}

// slotName is the function whose address the dynamic linker stores at slot.
func (f *File) slotName(slot uint64, resolvers func() map[uint64]string) string {
	r, ok := f.relocs().at(slot)
	switch {
	case !ok:
		return ""
	case r.symbol >= 0:
		return f.symbols[r.symbol].Name
	case r.kind == relocResolver:
		return resolvers()[r.value]
	}
	return ""
}

// resolverNames gives the IFUNC symbols' best names by their resolver.
func (f *File) resolverNames() map[uint64]string {
	out := map[uint64]string{}
	for _, i := range f.index().funcs {
		if s := &f.symbols[i]; s.IFunc() {
			out[s.Value] = s.Name // the best comes last
		}
	}
	return out
}

// stubAMD64 reads [endbr64] [bnd] jmp *slot(%rip) and gives its length and slot.
func stubAMD64(b []byte, addr uint64) (n, slot uint64, ok bool) {
	rest := bytes.TrimPrefix(b, []byte{0xf3, 0x0f, 0x1e, 0xfa})
	rest = bytes.TrimPrefix(rest, []byte{0xf2})
	if len(rest) < 6 || rest[0] != 0xff || rest[1] != 0x25 {
		return 0, 0, false
	}
	n = uint64(len(b)-len(rest)) + 6
	disp := int32(binary.LittleEndian.Uint32(rest[2:]))
	return n, addr + n + uint64(int64(disp)), true
}

// Instructions of an arm64 stub and the bits that tell them.
const (
	btiC        = 0xd503245f
	adrpX16     = 0x90000010
	adrpMask    = 0x9f00001f
	ldrX17X16   = 0xf9400211
	ldrMask     = 0xffc003ff
	stubInsnLen = 4
)

// stubARM64 reads [bti c] adrp x16, page; ldr x17, [x16, #slot]; add; br x17.
func stubARM64(b []byte, addr uint64) (n, slot uint64, ok bool) {
	le := binary.LittleEndian
	if len(b) >= stubInsnLen && le.Uint32(b) == btiC {
		b, n = b[stubInsnLen:], stubInsnLen
	}
	if len(b) < 2*stubInsnLen {
		return 0, 0, false
	}
	adrp, ldr := le.Uint32(b), le.Uint32(b[stubInsnLen:])
	if adrp&adrpMask != adrpX16 || ldr&ldrMask != ldrX17X16 {
		return 0, 0, false
	}
	pages := int64(int32((adrp>>5&0x7ffff<<2|adrp>>29&3)<<11) >> 11)
	page := (addr+n)&^0xfff + uint64(pages<<12)
	return n + 4*stubInsnLen, page + uint64(ldr>>10&0xfff)*8, true
}
