package elfbin

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
)

// Symbols gives every entry of .symtab, then of .dynsym, then of
// .gnu_debugdata in a file without .symtab, except the null
// ones. Nothing is merged: an exported function is usually in both tables.
// The caller must not change the slice.
func (f *File) Symbols() []Symbol {
	f.LoadSymbols() // SymbolsErr has the error, New gave it
	return f.symbols
}

func (f *File) readSymbols() error {
	if err := f.readSymbolTables(); err != nil {
		return err
	}
	f.first[MiniDebug] = len(f.symbols)
	return f.readMiniSymbols()
}

// readSymbolTables reads .symtab and .dynsym.
func (f *File) readSymbolTables() error {
	for table, typ := range []elf.SectionType{Symtab: elf.SHT_SYMTAB, Dynsym: elf.SHT_DYNSYM} {
		f.first[table] = len(f.symbols)
		for i, s := range f.sections {
			if s.Type != typ {
				continue
			}
			if err := f.readSymbolTable(Table(table), i); err != nil {
				return err
			}
			break // the gABI allows one table of each type
		}
	}
	return nil
}

// readSymbolTable appends the table in section number i.
func (f *File) readSymbolTable(table Table, i int) error {
	s := f.sections[i]
	b, err := f.read(s.Name, s.Offset, s.Size)
	if err != nil || len(b) < 2*symbolSize {
		return err // a lone null symbol needs no names
	}
	names, err := f.stringTable(s.Link, "names of "+s.Name)
	if err != nil {
		return err
	}
	versions, err := f.readVersions(table, i)
	if err != nil {
		return err
	}
	wide, err := f.wideSections(i)
	if err != nil {
		return err
	}
	n := len(b) / symbolSize
	f.symbols = slices.Grow(f.symbols, n-1)
	for k := 1; k < n; k++ {
		sym, name := parseSymbol(b[k*symbolSize:])
		sym.Table = table
		if sym.Section == elf.SHN_XINDEX {
			sym.Section = wide.at(k)
		}
		if sym.Name, err = names.at(uint64(name)); err != nil {
			return err
		}
		sym.splitVersion()
		versions.set(&sym, k)
		f.relocateSymbol(&sym)
		f.symbols = append(f.symbols, sym)
	}
	return nil
}

func parseSymbol(b []byte) (s Symbol, name uint32) {
	le := binary.LittleEndian
	return Symbol{
		Type: elf.ST_TYPE(b[4]), Bind: elf.ST_BIND(b[4]),
		Section: elf.SectionIndex(le.Uint16(b[6:])),
		Value:   le.Uint64(b[8:]), Size: le.Uint64(b[16:]),
	}, le.Uint32(b)
}

// splitVersion takes the version off a name: linkers write name@VERSION
// literally into .symtab. Names that begin with @ or ? are mangled otherwise.
func (s *Symbol) splitVersion() {
	name, version, ok := strings.Cut(s.Name, "@")
	if !ok || name == "" || name[0] == '?' {
		return
	}
	hidden := !strings.HasPrefix(version, "@")
	version = strings.TrimPrefix(version, "@")
	if version == "" || strings.ContainsAny(version, "@/ ") {
		return
	}
	s.Name, s.Version, s.Hidden = name, version, hidden
}

// relocateSymbol gives a symbol of a relocatable file, whose value is
// relative to its section, its address.
func (f *File) relocateSymbol(s *Symbol) {
	if f.typ != elf.ET_REL || s.Section == elf.SHN_UNDEF || uint64(s.Section) >= uint64(len(f.sections)) {
		return
	}
	s.Value += f.sections[s.Section].Addr
}

// wideIndices is an SHT_SYMTAB_SHNDX section: the section indices of symbols
// that do not fit 16 bits.
type wideIndices []byte

func (w wideIndices) at(symbol int) elf.SectionIndex {
	if symbol >= len(w)/4 {
		return elf.SHN_XINDEX
	}
	return elf.SectionIndex(binary.LittleEndian.Uint32(w[symbol*4:]))
}

func (f *File) wideSections(symtab int) (wideIndices, error) {
	for _, s := range f.sections {
		if s.Type == elf.SHT_SYMTAB_SHNDX && s.Link == uint32(symtab) {
			return f.read(s.Name, s.Offset, s.Size)
		}
	}
	return nil, nil
}
