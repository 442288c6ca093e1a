package sites

import (
	"debug/elf"
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/flat"
)

// symbolRow is the size of a stored symbol: value (8), size (8), where name
// and version stand (4 each), section (4), type, bind, table, hidden (1 each).
const (
	symbolRow = 32
	orderRow  = 12
	spanRow   = 12
)

// storeSymbols writes the symbols, and what finds them by address and name.
func storeSymbols(w *flat.Writer, file *elfbin.File, strings *flat.Strings) []flat.Part {
	le := binary.LittleEndian
	symbols := file.Symbols()
	rows := make([]byte, 0, symbolRow*len(symbols))
	names := make([]uint64, 0, len(symbols))
	for i := range symbols {
		s := &symbols[i]
		rows = le.AppendUint64(le.AppendUint64(rows, s.Value), s.Size)
		rows = le.AppendUint32(le.AppendUint32(rows, uint32(strings.Add(s.Name))), uint32(strings.Add(s.Version)))
		hidden := byte(0)
		if s.Hidden {
			hidden = 1
		}
		rows = append(le.AppendUint32(rows, uint32(s.Section)), byte(s.Type), byte(s.Bind), byte(s.Table), hidden)
		names = append(names, nameEntry(s.Name, int32(i)))
	}
	slices.Sort(names)
	var order, spans []byte
	for _, n := range file.FuncOrder() {
		order = le.AppendUint32(le.AppendUint64(order, symbols[n].Value), uint32(n))
	}
	for _, s := range file.Spans() {
		spans = le.AppendUint32(le.AppendUint64(spans, s.Low), uint32(s.Symbol+1))
	}
	return []flat.Part{w.Write(rows), w.Write(order), w.Write(spans), w.Write(hashTable(names))}
}

// storedSymbols is an elfbin.SymbolIndex that storeSymbols wrote. When the
// bytes turn out to be damaged it says so once, and the file's own symbols
// are read.
type storedSymbols struct {
	symbols, order, spans, names flat.Table

	texts *flat.Texts
	fail  func(error)
}

func openSymbols(r io.ReaderAt, parts []flat.Part, texts *flat.Texts, fail func(error)) (*storedSymbols, error) {
	var once sync.Once
	s := &storedSymbols{texts: texts, fail: func(err error) { once.Do(func() { fail(err) }) }}
	for _, t := range []struct {
		to   *flat.Table
		part int
		row  uint64
	}{{&s.symbols, partSymbols, symbolRow}, {&s.order, partFuncOrder, orderRow}, {&s.spans, partSpans, spanRow}, {&s.names, partSymbolNames, nameRow}} {
		var err error
		if *t.to, err = parts[t.part].Table(r, t.row); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// at reads a symbol.
func (s *storedSymbols) at(n uint32) (elfbin.Symbol, error) {
	var row [symbolRow]byte
	if uint64(n) >= uint64(s.symbols.Len()) {
		return elfbin.Symbol{}, flat.ErrFormat
	}
	if err := s.symbols.Row(int(n), row[:]); err != nil {
		return elfbin.Symbol{}, err
	}
	le := binary.LittleEndian
	name, err := s.texts.At(uint64(le.Uint32(row[16:])))
	if err != nil {
		return elfbin.Symbol{}, err
	}
	version, err := s.texts.At(uint64(le.Uint32(row[20:])))
	return elfbin.Symbol{
		Name: name, Version: version, Hidden: row[31] != 0, Value: le.Uint64(row[:]), Size: le.Uint64(row[8:]),
		Section: elf.SectionIndex(le.Uint32(row[24:])), Type: elf.SymType(row[28]), Bind: elf.SymBind(row[29]), Table: elfbin.Table(row[30]),
	}, err
}

// Named is part of elfbin.SymbolIndex, as the next two.
func (s *storedSymbols) Named(name string) (out []elfbin.Symbol, err error) {
	defer func() { s.check(err) }()
	numbers, err := hashed(s.names, hashName(name), s.symbols.Len())
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		sym, err := s.at(uint32(n))
		if err != nil {
			return nil, err
		}
		if sym.Name == name {
			out = append(out, sym)
		}
	}
	return out, nil
}

func (s *storedSymbols) FuncsAt(addr uint64) (out []elfbin.Symbol, err error) {
	defer func() { s.check(err) }()
	end, err := s.order.Search(func(row []byte) bool { return binary.LittleEndian.Uint64(row) > addr })
	if err != nil {
		return nil, err
	}
	var row [orderRow]byte
	for i := end - 1; i >= 0; i-- {
		if err := s.order.Row(i, row[:]); err != nil {
			return nil, err
		}
		if binary.LittleEndian.Uint64(row[:]) != addr {
			break
		}
		sym, err := s.at(binary.LittleEndian.Uint32(row[8:]))
		if err != nil {
			return nil, err
		}
		out = append(out, sym)
	}
	return out, nil
}

func (s *storedSymbols) SymbolAt(addr uint64) (sym elfbin.Symbol, ok bool, err error) {
	defer func() { s.check(err) }()
	i, err := s.spans.Search(func(row []byte) bool { return binary.LittleEndian.Uint64(row) > addr })
	if err != nil {
		return sym, false, err
	}
	var row [spanRow]byte
	if err := s.spans.Row(i-1, row[:]); err != nil { // the first span begins at 0
		return sym, false, err
	}
	n := binary.LittleEndian.Uint32(row[8:])
	if n == 0 {
		return sym, false, nil
	}
	sym, err = s.at(n - 1)
	return sym, err == nil, err
}

func (s *storedSymbols) check(err error) {
	if err != nil {
		s.fail(err)
	}
}
