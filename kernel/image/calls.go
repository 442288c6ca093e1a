package image

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/kernel"
)

// addCalls adds the direct calls between symbols, and jumps from one function
// to another.
func (b *builder) addCalls() error {
	if err := b.callsOf(b.core); err != nil {
		return err
	}
	b.addTraceCalls()
	return nil
}

// returnThunk is where returns jump to that the kernel may replace.
const returnThunk = "__x86_return_thunk"

// plumbing are the targets of what the compiler puts into every function; they
// say nothing about it.
func plumbing(name string) bool {
	switch name {
	case "__fentry__", "_mcount", "ftrace_caller", returnThunk, "__stack_chk_fail":
		return true
	}
	return strings.HasPrefix(name, "__x86_indirect_")
}

// callsOf reads the code of all functions of a kernel or module.
func (b *builder) callsOf(s *source) error {
	var code []elfbin.Range
	last := uint64(0)
	for _, y := range s.symbols {
		if !y.code || y.size == 0 || y.addr < last || y.size > ^y.addr {
			continue
		}
		if n := len(s.mem.Bytes(y.addr, int(min(y.size, maxCode)))); uint64(n) < y.size {
			continue // a symbol that reaches past its section
		}
		last = y.addr + y.size
		code = append(code, elfbin.Range{Low: y.addr, High: last})
	}
	var imports map[uint64]string
	if s.module != "" {
		imports = s.elf.PLT()
	}
	census, err := flow.ReadCalls(s.mem, s.arch, code)
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	var edges []kernel.Call
	var made []call
	for _, e := range census.Edges {
		module := s.module
		to, ok := s.at(e.To)
		if !ok {
			if to.name, ok = imports[e.To]; ok {
				module = importModule
			}
		}
		if !ok || plumbing(to.name) {
			continue
		}
		from, ok := s.around(e.From)
		if !ok {
			continue
		}
		caller, callee := whole(from.name), whole(to.name)
		if caller != callee || !e.Tail {
			edges = append(edges, kernel.Call{Caller: caller, Callee: callee, CallerModule: s.module, CalleeModule: module})
			made = append(made, call{e.From, caller, callee})
		}
	}
	if s.module == "" {
		edges = append(edges, b.certain(s, code, census.Edges, made)...)
	}
	b.snap.Edges = append(b.snap.Edges, kernel.MergeCalls(edges)...)
	return nil
}

// maxCode bounds the code of one function in bytes; the largest seen is below 1 MiB.
const maxCode = 16 << 20

// whole gives the symbol of the body that a cold part belongs to.
func whole(name string) string {
	if i := strings.Index(name, ".cold"); i > 0 {
		if _, kind := sourceName(name); kind == kernel.Cold {
			return name[:i]
		}
	}
	return name
}

// iter is what the function that calls a tracepoint's probes is called by.
const iter = "__traceiter_"

// traces tells whether a function is the inline one that passes a tracepoint.
func (b *builder) traces(name string) bool {
	point, ok := strings.CutPrefix(name, "trace_")
	if ok {
		_, ok = b.core.byName[iter+point]
	}
	return ok
}

// addTraceCalls adds edges from the functions that a tracepoint was put into
// to what calls its probes: the call itself is behind a static key or branch.
func (b *builder) addTraceCalls() {
	for _, f := range b.funcs {
		if !b.traces(f.Name) {
			continue
		}
		for _, c := range f.Copies {
			callee := iter + strings.TrimPrefix(f.Name, "trace_")
			b.snap.Edges = append(b.snap.Edges, kernel.Call{Caller: whole(c.Caller), Callee: callee, CallerModule: c.Module})
		}
	}
}
