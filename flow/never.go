package flow

// NeverReturns tells whether the function of opts cannot come back: no
// return, no jump to code outside that may return and nothing unreadable or
// unresolved can be reached from its entry. noReturn tells which functions
// outside are known not to return; it takes the place of opts.NoReturn.
func NeverReturns(opts Options, noReturn func(addr uint64) bool) bool {
	if noReturn == nil {
		noReturn = func(uint64) bool { return false }
	}
	// Most functions have a way to a return past few calls. Asking about those
	// only spares the analysis of everything that can be called from here.
	quick := opts
	quick.NoReturn = func(uint64) bool { return false }
	g, err := Build(quick)
	if err != nil || g.Entry < 0 || g.returns(noReturn) {
		return false
	}
	opts.NoReturn = noReturn
	if g, err = Build(opts); err != nil || g.Entry < 0 {
		return false
	}
	return g.neverReturns(noReturn)
}

// returns looks for a way from the entry to a return, in a graph in which all
// calls come back. It goes past a call that may not only when there is no
// other way left. False means that none was found.
func (g *Graph) returns(noReturn func(addr uint64) bool) bool {
	unresolved := map[int32]bool{}
	for _, i := range g.Unresolved {
		unresolved[i] = true
	}
	tails := map[int32]bool{}
	for _, i := range g.Tails {
		tails[i] = true
	}
	out := map[int32]bool{}
	for _, i := range g.Out {
		out[i] = true
	}
	seen := make([]bool, len(g.Insns))
	ways, calls := []int32{g.Entry}, []int32(nil) // calls: and jumps to outside
	for len(ways)+len(calls) > 0 {
		var i int32
		if len(ways) > 0 {
			i, ways = ways[len(ways)-1], ways[:len(ways)-1]
			if seen[i] {
				continue
			}
			seen[i] = true
			if g.Insns[i].Kind == Call || out[i] {
				calls = append(calls, i)
				continue
			}
			if g.Insns[i].Kind == Return || tails[i] {
				return true
			}
		} else {
			i, calls = calls[len(calls)-1], calls[:len(calls)-1]
			if noReturn(g.Insns[i].Target) {
				if g.Insns[i].Kind == Call {
					continue
				}
			} else if out[i] {
				return true
			}
		}
		if unresolved[i] {
			continue
		}
		for _, e := range g.Succ(i) {
			ways = append(ways, e.To)
		}
	}
	return false
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
