package atlas

import (
	"slices"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// functions are what is decoded of functions, by number.
type functions struct {
	facts   []uint32
	decls   []uint32
	reasons rows[reason] // of the plan
}

// rows are lists of values, one list after another.
type rows[T any] struct {
	end    []uint32 // of each list in values
	values []T
}

// of gives list i.
func (r *rows[T]) of(i int) []T {
	start := uint32(0)
	if i > 0 {
		start = r.end[i-1]
	}
	return r.values[start:r.end[i]]
}

// close ends a list.
func (r *rows[T]) close() { r.end = append(r.end, uint32(len(r.values))) }

// reason is why a plan is what it is.
type reason struct{ code, text uint32 }

// Function gives the facts on a source name.
func (e *Entry) Function(name string) (kernel.Function, bool, error) {
	fn, ok, err := e.find(name)
	if err != nil || !ok {
		return kernel.Function{}, false, err
	}
	f, err := e.function(fn, name)
	return f, err == nil, err
}

// find gives the number of a function.
func (e *Entry) find(name string) (int, bool, error) {
	id, ok, err := e.a.names.find(name)
	if err != nil || !ok {
		return 0, false, err
	}
	names, err := e.funcNames()
	if err != nil {
		return 0, false, err
	}
	fn, ok := slices.BinarySearch(names, id)
	return fn, ok, nil
}

// function puts together what there is on a function.
func (e *Entry) function(fn int, name string) (kernel.Function, error) {
	f := kernel.Function{Name: name}
	all, err := e.funcs()
	if err != nil {
		return f, err
	}
	facts := all.facts[fn]
	f.BTF = kernel.Answer(facts & 3)
	f.Plan.Verdict = verdicts()[facts>>2&7]
	for _, r := range all.reasons.of(fn) {
		code, err := e.a.names.get(r.code)
		if err != nil {
			return f, err
		}
		text, err := e.a.names.get(r.text)
		if err != nil {
			return f, err
		}
		f.Plan.Reasons = append(f.Plan.Reasons, sites.Reason{Code: sites.ReasonCode(code), Text: text})
	}
	if err := e.declare(&f, all.decls[fn]); err != nil {
		return f, err
	}
	if f.Symbols, err = e.symbolsOf(fn, name); err != nil {
		return f, err
	}
	f.Copies, err = e.copiesOf(fn)
	return f, err
}

// readFunctions decodes the facts of all functions.
func (e *Entry) readFunctions() (*functions, error) {
	n := e.meta.Funcs
	f := &functions{facts: make([]uint32, 0, n)}
	c, err := e.section(sectFuncFacts)
	if err != nil {
		return nil, err
	}
	why, err := e.section(sectReasons)
	if err != nil {
		return nil, err
	}
	f.reasons.end = make([]uint32, 0, n)
	f.reasons.values = make([]reason, 0, len(why.data)/2) // each takes two bytes or more
	for range n {
		v := c.next()
		if v&3 > uint64(kernel.No) || v>>2&7 >= uint64(len(verdicts())) || v>>5 > uint64(len(why.data)) {
			c.bad = true
		}
		if c.bad {
			break
		}
		f.facts = append(f.facts, uint32(v))
		for range v >> 5 {
			f.reasons.values = append(f.reasons.values, reason{uint32(why.int(e.a.names.n - 1)), uint32(why.int(e.a.names.n - 1))})
		}
		f.reasons.close()
	}
	if !c.done() {
		return nil, e.bad(sectFuncFacts)
	}
	if !why.done() {
		return nil, e.bad(sectReasons)
	}
	f.decls, err = e.ids(sectFuncDecls, e.a.decls.n)
	if err == nil && len(f.decls) != n {
		err = e.bad(sectFuncDecls)
	}
	return f, err
}

// declare adds what the source says of a function.
func (e *Entry) declare(f *kernel.Function, id uint32) error {
	d, err := record(e.a, &e.a.decls, id, codeDeclaration)
	if err != nil {
		return err
	}
	f.Sources = d.files
	for _, id := range d.protos {
		p, err := record(e.a, &e.a.protos, id, codeProto)
		if err != nil {
			return err
		}
		f.Protos = append(f.Protos, p)
	}
	return nil
}
