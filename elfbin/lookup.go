package elfbin

import (
	"io"
	"os"
	"slices"
)

// SymbolIndex answers for the symbol tables of a file, which need not be read
// then. It must answer as File does without one. After an error the tables are
// read.
type SymbolIndex interface {
	// Named gives the symbols of exactly the name, in the order of Symbols.
	Named(name string) ([]Symbol, error)
	FuncsAt(addr uint64) ([]Symbol, error)
	SymbolAt(addr uint64) (s Symbol, ok bool, err error)
}

// OpenHeaders is Open without the symbol tables: they are read when they are
// first asked for. The caller calls LoadSymbols before, to learn what is wrong
// with them, or has an index of them for UseIndex.
func OpenHeaders(path string) (*File, error) { return open(path, newHeaders) }

func open(path string, parse func(r io.ReaderAt, size int64, name string) (*File, error)) (*File, error) {
	// Stat first: opening a named pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &FormatError{path, "ELF header", 0, errNotRegular}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := parse(file, info.Size(), path)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.opened(file, info, path)
	return f, nil
}

// LoadSymbols reads the symbol tables, if that was not done. The error is a
// *FormatError; the file is without symbols then.
func (f *File) LoadSymbols() error {
	f.once.Do(func() {
		if f.symErr = f.readSymbols(); f.symErr != nil {
			f.symbols, f.first = nil, [3]int{}
		}
		f.asked.Store(true)
	})
	return f.symErr
}

// SymbolsErr says why the symbol tables, if they were read, cannot be used.
func (f *File) SymbolsErr() error {
	if !f.asked.Load() {
		return nil
	}
	return f.symErr
}

// UseIndex makes Lookup, FuncsAt and SymbolAt ask x. It is called before any of
// them.
func (f *File) UseIndex(x SymbolIndex) { f.known = x }

// FuncOrder lists the function symbols (FUNC and IFUNC) by value, as indices
// in Symbols; of several at one address the best name comes last.
func (f *File) FuncOrder() []int32 { return slices.Clone(f.index().funcs) }

// Span tells what SymbolAt gives for the addresses from Low to the next span.
type Span struct {
	Low    uint64 // virtual address
	Symbol int32  // index in Symbols, -1 for none
}

// Spans lists all answers of SymbolAt, by address. The first span begins at 0.
func (f *File) Spans() []Span {
	x := f.index()
	// The answer changes only where a function or a section begins or ends.
	lows := []uint64{0}
	for _, s := range x.spans {
		lows = append(lows, s.low)
	}
	for _, n := range x.funcs {
		lows = append(lows, f.symbols[n].Value)
	}
	for _, r := range f.code {
		lows = append(lows, r.Low, r.High)
	}
	slices.Sort(lows)
	var out []Span
	for _, low := range slices.Compact(lows) {
		if n := f.symbolAt(low); len(out) == 0 || out[len(out)-1].Symbol != n {
			out = append(out, Span{low, n})
		}
	}
	return out
}
