package elfbin

import (
	"debug/elf"
	"encoding/binary"
)

// versionTable gives symbols of .dynsym their versions (LSB Core, "Symbol
// Versioning").
type versionTable struct {
	index []byte // .gnu.version: 16 bits a symbol
	names map[uint16]string
}

// Bits of an entry of .gnu.version and the reserved indices.
const (
	versionHidden = 0x8000
	versionMask   = 0x7fff
	versionGlobal = 1
)

// set gives the k-th symbol of the table its version.
func (v versionTable) set(s *Symbol, k int) {
	if k >= len(v.index)/2 {
		return
	}
	i := binary.LittleEndian.Uint16(v.index[2*k:])
	if name, ok := v.names[i&versionMask]; ok && i&versionMask > versionGlobal {
		s.Version = name
		// A reference names one version, as name@VERSION does.
		s.Hidden = i&versionHidden != 0 || !s.Defined()
	}
}

// readVersions reads the versions of the symbol table in section number symtab.
func (f *File) readVersions(table Table, symtab int) (versionTable, error) {
	v := versionTable{names: map[uint16]string{}}
	if table != Dynsym {
		return v, nil
	}
	for _, s := range f.sections {
		if s.Type != elf.SHT_GNU_VERSYM && s.Type != elf.SHT_GNU_VERDEF && s.Type != elf.SHT_GNU_VERNEED {
			continue
		}
		b, err := f.read(s.Name, s.Offset, s.Size)
		if err != nil {
			return v, err
		}
		if s.Type == elf.SHT_GNU_VERSYM {
			if s.Link == uint32(symtab) {
				v.index = b
			}
			continue
		}
		names, err := f.stringTable(s.Link, "names of "+s.Name)
		if err != nil {
			return v, err
		}
		walk := versionWalk{f, s, cursor{data: b}, names, v.names}
		if s.Type == elf.SHT_GNU_VERDEF {
			err = walk.definitions()
		} else {
			err = walk.needs()
		}
		if err != nil {
			return v, err
		}
	}
	return v, nil
}

// versionWalk follows the chains of records in .gnu.version_d and _r.
type versionWalk struct {
	file    *File
	section SectionHeader
	cursor
	strings *stringTable
	names   map[uint16]string
}

func (w *versionWalk) bad(format string, args ...any) error {
	return w.file.bad(w.section.Name, w.section.Offset+uint64(w.at), format, args...)
}

// definitions reads Verdef records; the first Verdaux is the version's name.
func (w *versionWalk) definitions() error {
	for pos, n := uint64(0), 0; ; n++ {
		w.seek(pos)
		_, flags, index := w.u16(), w.u16(), w.u16()
		w.u16() // vd_cnt
		w.u32() // vd_hash
		aux, next := w.u32(), w.u32()
		w.seek(pos + uint64(aux))
		name := w.u32()
		if w.short || n > maxVersions {
			return w.bad("version definitions leave the section")
		}
		// VER_FLG_BASE names the file, not a version.
		if flags&1 == 0 {
			if err := w.name(index, name); err != nil {
				return err
			}
		}
		if next == 0 {
			return nil
		}
		pos += uint64(next)
	}
}

// needs reads Verneed records, one a file, and their Vernaux, one a version.
func (w *versionWalk) needs() error {
	steps := 0
	for pos := uint64(0); ; {
		w.seek(pos)
		w.u16() // vn_version
		count := w.u16()
		w.u32() // vn_file
		aux, next := w.u32(), w.u32()
		at := pos + uint64(aux)
		for range count {
			w.seek(at)
			w.u32() // vna_hash
			w.u16() // vna_flags
			index, name, step := w.u16(), w.u32(), w.u32()
			if steps++; w.short || steps > maxVersions {
				return w.bad("version references leave the section")
			}
			if err := w.name(index, name); err != nil {
				return err
			}
			if step == 0 {
				break
			}
			at += uint64(step)
		}
		if steps++; w.short || steps > maxVersions {
			return w.bad("version references leave the section")
		}
		if next == 0 {
			return nil
		}
		pos += uint64(next)
	}
}

func (w *versionWalk) name(index uint16, offset uint32) error {
	s, err := w.strings.at(uint64(offset))
	if err == nil {
		w.names[index&versionMask] = s
	}
	return err
}
