package atlas

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// meta is what is known of a kernel before anything else is decoded.
type meta struct {
	ID      kernel.Identity
	Unknown []string // by topic
	Funcs   int
	Symbols int
	Copies  int
	Nodes   int // of the call graph
}

// kernelWriter writes the sections of one kernel.
type kernelWriter struct {
	*builder
	out   *sink
	at    int // place of the kernel
	k     *kernel.Snapshot
	funcs []*kernel.Function // by number of the name
	index map[string]int     // in funcs
	mods  []string           // sorted; the first is vmlinux, ""
	syms  []symbolRef        // by module, address, name
}

// symbolRef is a symbol with its function.
type symbolRef struct {
	*kernel.Symbol
	fn  int
	mod int
}

func (b *builder) kernel(o *sink, at int, k *kernel.Snapshot) error {
	w := &kernelWriter{builder: b, out: o, at: at, k: k, index: map[string]int{}}
	if err := w.collect(); err != nil {
		return err
	}
	g := newGraph(k)
	m := meta{ID: k.ID, Unknown: k.Unknown[:], Funcs: len(w.funcs), Symbols: len(w.syms), Nodes: len(g.nodes)}
	for _, f := range w.funcs {
		m.Copies += len(f.Copies)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	w.section(sectMeta, data)
	var mods column
	for _, m := range w.mods {
		mods.put(b.names.Add(m))
	}
	w.section(sectModules, mods)
	w.functions()
	w.symbols()
	if err := w.copies(); err != nil {
		return err
	}
	w.calls(g)
	w.lists()
	return nil
}

func (w *kernelWriter) section(kind sectionKind, data []byte) { w.out.section(kind, w.at, 0, data) }

// collect brings functions, modules and symbols into the order of the file.
func (w *kernelWriter) collect() error {
	mods := map[string]bool{"": true}
	for i := range w.k.Functions {
		f := &w.k.Functions[i]
		w.funcs = append(w.funcs, f)
		for _, s := range f.Symbols {
			mods[s.Module] = true
		}
		for _, c := range f.Copies {
			mods[c.Module] = true
		}
	}
	slices.SortFunc(w.funcs, func(a, b *kernel.Function) int { return cmp.Compare(w.names.at[a.Name], w.names.at[b.Name]) })
	for i, f := range w.funcs {
		if _, twice := w.index[f.Name]; twice {
			return fmt.Errorf("function %s is there twice", f.Name)
		}
		w.index[f.Name] = i
	}
	for m := range mods {
		w.mods = append(w.mods, m)
	}
	slices.Sort(w.mods)
	for i, f := range w.funcs {
		for j := range f.Symbols {
			s := &f.Symbols[j]
			w.syms = append(w.syms, symbolRef{s, i, w.module(s.Module)})
		}
	}
	slices.SortFunc(w.syms, func(a, b symbolRef) int {
		return cmp.Or(cmp.Compare(a.mod, b.mod), cmp.Compare(a.Address, b.Address), strings.Compare(a.Name, b.Name))
	})
	return nil
}

func (w *kernelWriter) module(name string) int {
	i, _ := slices.BinarySearch(w.mods, name)
	return i
}

// verdicts are the verdicts by their number in the file.
func verdicts() []sites.Verdict {
	return []sites.Verdict{"", sites.Complete, sites.Partial, sites.None, sites.Unknown}
}

// functions writes what functions have besides symbols and copies.
func (w *kernelWriter) functions() {
	var names []uint32
	var facts, protos, files, reasons column
	near := mark{}
	for _, f := range w.funcs {
		names = append(names, w.names.at[f.Name])
		facts.put(uint64(f.BTF) | uint64(slices.Index(verdicts(), f.Plan.Verdict))<<2 | uint64(len(f.Plan.Reasons))<<5)
		for _, r := range f.Plan.Reasons {
			reasons.put(w.names.Add(string(r.Code)))
			reasons.put(w.names.Add(r.Text))
		}
		protos.put(uint64(len(f.Protos)))
		for i := range f.Protos {
			protos.signed(near.distance(w.protos.add(w.names, &f.Protos[i])))
		}
		files.put(uint64(len(f.Sources)))
		for _, s := range f.Sources {
			file, line := splitSource(s)
			files.put(w.names.Add(file))
			files.put(line)
		}
	}
	var c column
	c.ascending(names)
	w.section(sectFuncNames, c)
	w.section(sectFuncFacts, facts)
	w.section(sectReasons, reasons)
	w.section(sectFuncProtos, protos)
	w.section(sectFuncFiles, files)
}

// mark turns numbers that mostly rise by one, with jumps back to common ones,
// into small ones.
type mark struct{ next uint32 }

// distance gives the number to write for id.
func (m *mark) distance(id uint32) int64 {
	d := int64(id) - int64(m.next)
	m.move(id)
	return d
}

// value gives the id of a number that was read.
func (m *mark) value(d int64) int64 {
	v := int64(m.next) + d
	if v >= 0 && v <= 1<<31 {
		m.move(uint32(v))
	}
	return v
}

func (m *mark) move(id uint32) {
	if id+64 > m.next {
		m.next = id + 1
	}
}

// splitSource splits "fs/read_write.c:451".
func splitSource(s string) (file string, line uint64) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		if n, err := strconv.ParseUint(s[i+1:], 10, 32); err == nil && strconv.FormatUint(n, 10) == s[i+1:] {
			return s[:i], n + 1
		}
	}
	return s, 0
}

// joinSource is the reverse of splitSource.
func joinSource(file string, line uint64) string {
	if line == 0 {
		return file
	}
	return file + ":" + strconv.FormatUint(line-1, 10)
}

// suffix is what a symbol has behind the function's name; a symbol that does
// not begin with it is given whole, behind a slash.
func suffix(function, symbol string) string {
	if rest, ok := strings.CutPrefix(symbol, function); ok && !strings.HasPrefix(rest, "/") {
		return rest
	}
	return "/" + symbol
}

// withSuffix is the reverse of suffix.
func withSuffix(function, suffix string) string {
	if whole, ok := strings.CutPrefix(suffix, "/"); ok {
		return whole
	}
	return function + suffix
}

// symbols writes the symbols.
func (w *kernelWriter) symbols() {
	var addrs, funcs, facts, args column
	counts := make([]uint64, len(w.mods))
	for _, s := range w.syms {
		counts[s.mod]++
	}
	for _, n := range counts {
		addrs.put(n)
	}
	mod, end := -1, uint64(0)
	for _, s := range w.syms {
		if s.mod != mod {
			mod, end = s.mod, 0
		}
		addrs.signed(int64(s.Address - end))
		addrs.put(s.Size)
		end = s.Address + s.Size
		funcs.put(uint64(s.fn))
		facts.put(symbolFlags(s.Symbol))
		facts.put(w.names.Add(suffix(w.funcs[s.fn].Name, s.Name)))
		if s.Args != nil {
			args.put(uint64(len(s.Args.Place)))
			for _, p := range s.Args.Place {
				args.signed(int64(p))
			}
		}
	}
	w.section(sectSymAddrs, addrs)
	w.section(sectSymFuncs, funcs)
	w.section(sectSymFacts, facts)
	w.section(sectSymArgs, args)
}

func symbolFlags(s *kernel.Symbol) uint64 {
	v := uint64(s.Kind)&3 | uint64(s.Traceable)&3<<2 | uint64(s.Refused)&3<<4
	for i, flag := range []bool{s.Global, s.Init, s.Args != nil} {
		if flag {
			v |= 1 << (6 + i)
		}
	}
	return v
}
