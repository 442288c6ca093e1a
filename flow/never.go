package flow

// NeverReturns tells whether the function of opts cannot come back: no
// return, no jump to code outside that may return and nothing unreadable or
// unresolved can be reached from its entry. noReturn tells which functions
// outside are known not to return; it takes the place of opts.NoReturn.
func NeverReturns(opts Options, noReturn func(addr uint64) bool) bool {
	if noReturn == nil {
		noReturn = func(uint64) bool { return false }
	}
	opts.NoReturn = noReturn
	g, err := Build(opts)
	if err != nil || g.Entry < 0 {
		return false
	}
	return g.neverReturns(noReturn)
}

func (g *Graph) neverReturns(noReturn func(addr uint64) bool) bool {
	leaves := map[int32]bool{}
	for _, list := range [][]int32{g.Unresolved, g.Tails} {
		for _, i := range list {
			leaves[i] = true
		}
	}
	for _, i := range g.Out {
		leaves[i] = !noReturn(g.Insns[i].Target)
	}
	for i, seen := range g.Reachable([]int32{g.Entry}, nil) {
		if !seen {
			continue
		}
		in := g.Insns[i]
		switch {
		case in.Kind == Return, in.Kind == Unknown, leaves[int32(i)]:
			return false
		case in.Kind == Plain && len(g.Succ(int32(i))) == 0: // runs into what is not known
			return false
		case in.Kind == CondJump && !g.falls(int32(i)):
			return false
		}
	}
	return true
}

// falls tells whether control goes on behind instruction i.
func (g *Graph) falls(i int32) bool {
	for _, e := range g.Succ(i) {
		if e.Kind == Fall {
			return true
		}
	}
	return false
}
