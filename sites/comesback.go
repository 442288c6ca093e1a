package sites

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// maxCallDepth bounds how deep calls are followed to learn whether a function
// comes back: what helpers at the end of a copy call is a few levels deep.
const maxCallDepth = 6

// comesBack tells whether the call or jump at i of the body surely comes back:
// what it executes can neither unwind nor end the program. An endless loop is
// not looked for.
func (bd *body) comesBack(i int32) bool {
	in := bd.graph.Insns[i]
	switch in.Kind {
	case flow.Call, flow.Jump, flow.CondJump:
		return bd.owner.returns(in.Target, maxCallDepth)
	}
	return false
}

// returns tells whether the function at a virtual address surely returns.
func (b *Binary) returns(addr uint64, depth int) bool {
	if name, ok := b.pltName(addr); ok {
		return returningNames[name]
	}
	b.mu.Lock()
	known := b.returning[addr]
	b.mu.Unlock()
	if known {
		return true
	}
	if depth == 0 || b.neverReturns(addr) {
		return false
	}
	ranges, ok := b.codeAt(addr)
	if !ok {
		return false
	}
	g, err := b.build(addr, ranges, nil)
	if err != nil || len(g.Unresolved)+len(g.Tails)+len(g.Bad)+len(g.Labels) > 0 || !b.allReturn(g, depth) {
		return false
	}
	b.mu.Lock()
	b.returning[addr] = true
	b.mu.Unlock()
	return true
}

// allReturn tells whether everything that a function calls returns.
func (b *Binary) allReturn(g *flow.Graph, depth int) bool {
	for i := range g.Insns {
		in := &g.Insns[i]
		switch in.Kind {
		case flow.IndirectCall, flow.Trap, flow.Unknown:
			return false
		case flow.Call:
			if name, _ := b.pltName(in.Target); name == "__stack_chk_fail" {
				continue // called where the stack is already damaged
			}
			if in.NoReturn || !b.returns(in.Target, depth-1) {
				return false
			}
		}
	}
	for _, i := range g.Out {
		if !b.returns(g.Insns[i].Target, depth-1) {
			return false
		}
	}
	return true
}

// codeAt gives the code of the function that begins at a virtual address.
func (b *Binary) codeAt(addr uint64) ([]elfbin.Range, bool) {
	if f := b.index.at(addr); f != nil {
		for _, r := range f.bodies {
			if r.entry == addr && r.die >= 0 {
				return b.data.Func(r.die).Ranges, true
			}
		}
	}
	sym, ok := b.file.SymbolAt(addr)
	if !ok || sym.Value != addr || sym.Size == 0 {
		return nil, false
	}
	return []elfbin.Range{{Low: addr, High: addr + sym.Size}}, true
}

// returningNames are functions of the C library that do nothing but compute
// on memory (C11 7.24): they come back to where they were called.
var returningNames = map[string]bool{
	"memcpy": true, "memmove": true, "memset": true, "memcmp": true, "memchr": true,
	"strlen": true, "strcmp": true, "strncmp": true, "strchr": true, "strrchr": true, "strstr": true,
	"strcpy": true, "strncpy": true, "strcat": true, "strspn": true, "strcspn": true, "strpbrk": true,
	"strcoll": true, "strtod": true, "strtol": true, "strtoul": true, "snprintf": true, "abs": true,
	"malloc": true, "calloc": true, "realloc": true, "free": true,
	"__errno_location": true, "__ctype_b_loc": true, "localeconv": true,
	"floor": true, "ceil": true, "fmod": true, "pow": true, "sqrt": true, "log": true, "exp": true, "sin": true, "cos": true,
	"time": true, "clock": true, "getenv": true,
}
