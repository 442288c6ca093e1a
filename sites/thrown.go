package sites

import "github.com/surehook/surehook/flow"

// catches is the function that a handler calls first (Itanium C++ ABI,
// "Exception Handling", 2.5.3): from there on the program runs as usual.
const catches = "__cxa_begin_catch"

// unthrown marks the code of the executions that is reached otherwise than by
// an exception that nobody has caught yet: only from there they return.
func (en *ending) unthrown() []bool {
	g := en.bd.graph
	type state struct {
		insn   int32
		thrown bool
	}
	seen := map[state]bool{}
	out := make([]bool, len(g.Insns))
	var todo []state
	push := func(s state) {
		if !seen[s] && en.in[s.insn] {
			seen[s] = true
			todo = append(todo, s)
		}
	}
	for e := range en.begin {
		push(state{e.to, false})
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		in := &g.Insns[s.insn]
		if in.Kind == flow.Call && en.bd.owner.nameOf(in.Target) == catches {
			s.thrown = false
		}
		out[s.insn] = out[s.insn] || !s.thrown
		for _, e := range g.Succ(s.insn) {
			push(state{e.To, s.thrown || e.Kind == flow.Unwind})
		}
	}
	return out
}
