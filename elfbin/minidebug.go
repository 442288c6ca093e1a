package elfbin

import (
	"bytes"
	"debug/elf"
	"fmt"
)

// miniDebug is the section of a stripped file that holds an xz-compressed ELF
// file with its function symbols ("MiniDebugInfo" of the gdb manual).
const miniDebug = ".gnu_debugdata"

// readMiniSymbols adds the symbols of .gnu_debugdata, if the file has no
// .symtab. They have the virtual addresses of this file; Section is this
// file's.
func (f *File) readMiniSymbols() error {
	i := f.sectionIndex(miniDebug)
	if f.first[Dynsym] > 0 || i < 0 || !f.sections[i].stored() || f.sections[i].Size == 0 {
		return nil
	}
	s := f.sections[i]
	b, err := f.read(s.Name, s.Offset, s.Size)
	if err != nil {
		return err
	}
	limit := min(maxMiniDebug, freeDecompressed+maxRatio*uint64(len(b)))
	image, at, err := unxz(b, int(limit))
	if err != nil {
		return f.badMini(s.Offset+uint64(at), fmt.Errorf("decompressing: %w", err))
	}
	mini := &File{path: f.path + "(" + miniDebug + ")", src: bytes.NewReader(image), size: uint64(len(image)), cache: map[int]func() ([]byte, error){}, fixups: map[uint32][]int{}}
	if err := mini.readHeaders(); err != nil {
		return f.badMini(s.Offset, err)
	}
	if err := mini.readSymbolTables(); err != nil {
		return f.badMini(s.Offset, err)
	}
	if id, own := mini.BuildID(), f.BuildID(); mini.arch != f.arch || mini.typ != f.typ || id != "" && own != "" && id != own {
		return f.badMini(s.Offset, fmt.Errorf("it is of another file (%v for %v, build id %q)", mini.typ, mini.arch, id))
	}
	for _, sym := range mini.symbols[:mini.first[Dynsym]] {
		if sym.Defined() && sym.Section < elf.SHN_LORESERVE {
			sym.Section = f.sectionOf(sym.Value)
		}
		sym.Table = MiniDebug
		f.symbols = append(f.symbols, sym)
	}
	return nil
}

// badMini says what is wrong with .gnu_debugdata, and what to do about it.
func (f *File) badMini(offset uint64, err error) error {
	return f.bad(miniDebug, offset, "%w; objcopy --remove-section %s takes it away", err, miniDebug)
}

// sectionOf is the number of the loaded section that holds a virtual address,
// SHN_ABS if none does.
func (f *File) sectionOf(addr uint64) elf.SectionIndex {
	for i, s := range f.sections {
		if s.Flags&elf.SHF_ALLOC != 0 && addr >= s.Addr && addr-s.Addr < s.Size {
			return elf.SectionIndex(i)
		}
	}
	return elf.SHN_ABS
}
