package atlas

import (
	"slices"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// functions are what is decoded of functions, by number.
type functions struct {
	facts   []uint32
	protos  rows[uint32]
	sources rows[source]
	reasons rows[source] // of the plan: code and text
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

// source is a declaring file with its line, or two texts of a reason.
type source struct {
	file uint32
	line uint64
}

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
		code, err := e.a.names.get(r.file)
		if err != nil {
			return f, err
		}
		text, err := e.a.names.At(r.line)
		if err != nil {
			return f, err
		}
		f.Plan.Reasons = append(f.Plan.Reasons, sites.Reason{Code: sites.ReasonCode(code), Text: text})
	}
	for _, id := range all.protos.of(fn) {
		p, err := record(e.a, &e.a.protos, id, codeProto)
		if err != nil {
			return f, err
		}
		f.Protos = append(f.Protos, p)
	}
	for _, s := range all.sources.of(fn) {
		file, err := e.a.names.get(s.file)
		if err != nil {
			return f, err
		}
		f.Sources = append(f.Sources, joinSource(file, s.line))
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
			f.reasons.values = append(f.reasons.values, source{file: uint32(why.int(e.a.names.n - 1)), line: why.next()})
		}
		f.reasons.close()
	}
	if !c.done() {
		return nil, e.bad(sectFuncFacts)
	}
	if !why.done() {
		return nil, e.bad(sectReasons)
	}
	if err := e.readProtos(f); err != nil {
		return nil, err
	}
	return f, e.readSources(f)
}

func (e *Entry) readProtos(f *functions) error {
	c, err := e.section(sectFuncProtos)
	if err != nil {
		return err
	}
	near := mark{}
	for range f.facts {
		for range c.count() {
			v := near.value(c.signed())
			if v < 0 || v >= int64(e.a.protos.n) {
				c.bad = true
				break
			}
			f.protos.values = append(f.protos.values, uint32(v))
		}
		f.protos.close()
	}
	if !c.done() {
		return e.bad(sectFuncProtos)
	}
	return nil
}

func (e *Entry) readSources(f *functions) error {
	c, err := e.section(sectFuncFiles)
	if err != nil {
		return err
	}
	for range f.facts {
		for range c.count() {
			f.sources.values = append(f.sources.values, source{file: uint32(c.int(e.a.names.n - 1)), line: c.next()})
		}
		f.sources.close()
	}
	if !c.done() {
		return e.bad(sectFuncFiles)
	}
	return nil
}
