package atlas

import (
	"math"
	"sort"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// symbols are a kernel's symbols by module, address and name.
type symbols struct {
	addr   []uint64
	size   []uint32
	fn     []uint32
	facts  []uint16
	suffix []uint32          // number of a string
	first  []int             // of each module its first symbol; one more at the end
	byFn   rows[uint32]      // of each function its symbols
	args   map[uint32][]int8 // of the few that have any
}

// symbolsOf gives the symbols of a function.
func (e *Entry) symbolsOf(fn int, name string) ([]kernel.Symbol, error) {
	y, err := e.symbols()
	if err != nil {
		return nil, err
	}
	mods, err := e.mods()
	if err != nil {
		return nil, err
	}
	var out []kernel.Symbol
	for _, i := range y.byFn.of(fn) {
		suffix, err := e.a.names.get(y.suffix[i])
		if err != nil {
			return nil, err
		}
		v := y.facts[i]
		s := kernel.Symbol{
			Name: withSuffix(name, suffix), Address: y.addr[i], Size: uint64(y.size[i]), Module: mods[moduleAt(y.first, int(i))],
			Kind: kernel.SymbolKind(v & 3), Traceable: kernel.Answer(v >> 2 & 3), Refused: kernel.Answer(v >> 4 & 3),
			Global: v&(1<<6) != 0, Init: v&(1<<7) != 0, Variable: v&(1<<9) != 0,
		}
		if v&(1<<8) != 0 {
			s.Args = &kernel.Args{Place: y.args[i]}
		}
		out = append(out, s)
	}
	return out, nil
}

// Symbol gives the source name behind a symbol.
func (e *Entry) Symbol(name string) (string, bool, error) {
	y, err := e.symbols()
	if err != nil {
		return "", false, err
	}
	// The function's name is the symbol's, less its suffixes.
	for base := name; base != ""; base = base[:max(strings.LastIndexByte(base, '.'), 0)] {
		fn, ok, err := e.find(base)
		if err != nil {
			return "", false, err
		}
		if !ok {
			continue
		}
		for _, i := range y.byFn.of(fn) {
			suffix, err := e.a.names.get(y.suffix[i])
			if err != nil {
				return "", false, err
			}
			if withSuffix(base, suffix) == name {
				return base, true, nil
			}
		}
	}
	return e.foreignSymbol(y, name)
}

// foreignSymbol looks for a symbol that does not begin with its function's name.
func (e *Entry) foreignSymbol(y *symbols, name string) (string, bool, error) {
	id, ok, err := e.a.names.find("/" + name)
	if err != nil || !ok {
		return "", false, err
	}
	for i, s := range y.suffix {
		if s == id {
			function, err := e.functionName(int(y.fn[i]))
			return function, err == nil, err
		}
	}
	return "", false, nil
}

func (e *Entry) functionName(fn int) (string, error) {
	names, err := e.funcNames()
	if err != nil {
		return "", err
	}
	return e.a.names.get(names[fn])
}

// symbolName gives the name of a symbol by its number.
func (e *Entry) symbolName(y *symbols, i int) (string, error) {
	function, err := e.functionName(int(y.fn[i]))
	if err != nil {
		return "", err
	}
	suffix, err := e.a.names.get(y.suffix[i])
	return withSuffix(function, suffix), err
}

func (e *Entry) readSymbols() (*symbols, error) {
	mods, err := e.mods()
	if err != nil {
		return nil, err
	}
	y := &symbols{}
	if err := e.readAddresses(y, len(mods)); err != nil {
		return nil, err
	}
	n := e.meta.Symbols
	if err := e.readSymbolFuncs(y); err != nil {
		return nil, err
	}
	c, err := e.section(sectSymFacts)
	if err != nil {
		return nil, err
	}
	args, err := e.section(sectSymArgs)
	if err != nil {
		return nil, err
	}
	y.facts, y.suffix, y.args = make([]uint16, 0, n), make([]uint32, 0, n), map[uint32][]int8{}
	for i := range n {
		v := c.int(1<<10 - 1)
		y.facts = append(y.facts, uint16(v))
		y.suffix = append(y.suffix, uint32(c.int(e.a.names.n-1)))
		if v&(1<<8) != 0 {
			place := make([]int8, args.count())
			for j := range place {
				place[j] = int8(args.signed())
			}
			y.args[uint32(i)] = place
		}
	}
	if !c.done() {
		return nil, e.bad(sectSymFacts)
	}
	if !args.done() {
		return nil, e.bad(sectSymArgs)
	}
	y.byFn = group(y.fn, e.meta.Funcs)
	return y, nil
}

// readSymbolFuncs reads the function of each symbol.
func (e *Entry) readSymbolFuncs(y *symbols) error {
	c, err := e.section(sectSymFuncs)
	if err != nil {
		return err
	}
	y.fn = make([]uint32, 0, e.meta.Symbols)
	fn := int64(0)
	for range e.meta.Symbols {
		if fn += c.signed(); c.bad || fn < 0 || fn >= int64(e.meta.Funcs) {
			return e.bad(sectSymFuncs)
		}
		y.fn = append(y.fn, uint32(fn))
	}
	if !c.done() {
		return e.bad(sectSymFuncs)
	}
	return nil
}

// readAddresses reads the addresses of all symbols, module by module.
func (e *Entry) readAddresses(y *symbols, mods int) error {
	c, err := e.section(sectSymAddrs)
	if err != nil {
		return err
	}
	counts, sum := make([]int, mods), 0
	for i := range counts {
		counts[i] = c.int(e.meta.Symbols)
		sum += counts[i]
	}
	if sum != e.meta.Symbols || sum > len(c.data) {
		return e.bad(sectSymAddrs)
	}
	y.addr, y.size = make([]uint64, 0, sum), make([]uint32, 0, sum)
	for _, n := range counts {
		y.first = append(y.first, len(y.addr))
		end, last := uint64(0), uint64(0)
		for range n {
			a := end + uint64(c.signed())
			size := c.next()
			if a < last || size > math.MaxUint32 {
				c.bad = true
			}
			y.addr, y.size = append(y.addr, a), append(y.size, uint32(size))
			end, last = a+size, a
		}
	}
	y.first = append(y.first, len(y.addr))
	if !c.done() {
		return e.bad(sectSymAddrs)
	}
	return nil
}

// moduleAt gives the module of the thing i: first are the first things of each
// module, and one more at the end.
func moduleAt(first []int, i int) int {
	return sort.Search(len(first), func(m int) bool { return first[m] > i }) - 1
}

// group gives for each of n keys the places in keys that have it, ascending.
func group(keys []uint32, n int) rows[uint32] {
	r := rows[uint32]{end: make([]uint32, n), values: make([]uint32, len(keys))}
	for _, k := range keys {
		r.end[k]++
	}
	sum := uint32(0)
	for i, c := range r.end {
		r.end[i] = sum // the beginning, moved on below
		sum += c
	}
	for i, k := range keys {
		r.values[r.end[k]] = uint32(i)
		r.end[k]++
	}
	return r
}
