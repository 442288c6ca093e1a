package atlas

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
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
			if s.Size > math.MaxUint32 {
				return fmt.Errorf("symbol %s has %#x bytes", s.Name, s.Size)
			}
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
	var facts, decls, reasons column
	near := mark{}
	for _, f := range w.funcs {
		names = append(names, w.names.at[f.Name])
		facts.put(uint64(f.BTF) | uint64(slices.Index(verdicts(), f.Plan.Verdict))<<2 | uint64(len(f.Plan.Reasons))<<5)
		for _, r := range f.Plan.Reasons {
			reasons.put(w.names.Add(string(r.Code)))
			reasons.put(w.names.Add(r.Text))
		}
		d := w.declaration(f)
		decls.signed(near.distance(w.decls.addFor(f.Name, w.names, &d)))
	}
	var c column
	c.ascending(names)
	w.section(sectFuncNames, c)
	w.section(sectFuncFacts, facts)
	w.section(sectReasons, reasons)
	w.section(sectFuncDecls, decls)
}

// declaration is what the source says of a function.
func (w *kernelWriter) declaration(f *kernel.Function) declaration {
	d := declaration{files: files(f)}
	for i := range f.Protos {
		d.protos = append(d.protos, w.protos.add(w.names, &f.Protos[i]))
	}
	return d
}

// files are those in which a function is declared. Lines differ from build to
// build and are left out.
func files(f *kernel.Function) []string {
	var all []string
	for _, s := range f.Sources {
		file, _, _ := strings.Cut(s, ":")
		if !slices.Contains(all, file) {
			all = append(all, file)
		}
	}
	return all
}

// mark turns numbers that mostly rise by one into small ones. There are two
// runs: what an earlier kernel has as well, and what is new.
type mark struct{ next [2]uint32 }

// distance gives the number to write for id.
func (m *mark) distance(id uint32) int64 {
	run := 0
	if a, b := int64(id)-int64(m.next[0]), int64(id)-int64(m.next[1]); max(a, -a) > max(b, -b) {
		run = 1
	}
	d := int64(id) - int64(m.next[run])
	m.next[run] = id + 1
	return d<<1 | int64(run)
}

// value gives the id of a number that was read, or one out of range.
func (m *mark) value(d int64) int64 {
	run := d & 1
	v := int64(m.next[run]) + d>>1
	if v < 0 || v > math.MaxInt32 {
		return -1
	}
	m.next[run] = uint32(v) + 1
	return v
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
	mod, end, fn := -1, uint64(0), 0
	for _, s := range w.syms {
		if s.mod != mod {
			mod, end = s.mod, 0
		}
		addrs.signed(int64(s.Address - end))
		addrs.put(s.Size)
		end = s.Address + s.Size
		funcs.signed(int64(s.fn - fn)) // neighbours in a file are often so by name
		fn = s.fn
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
	for i, flag := range []bool{s.Global, s.Init, s.Args != nil, s.Variable} {
		if flag {
			v |= 1 << (6 + i)
		}
	}
	return v
}
