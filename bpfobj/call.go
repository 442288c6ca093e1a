package bpfobj

// Helpers that read memory: (to, size, from).
const (
	helperProbeRead     = 4
	helperProbeReadStr  = 45
	helperReadUser      = 112
	helperReadKernel    = 113
	helperReadUserStr   = 114
	helperReadKernelStr = 115
)

// call follows a call; it is false if it does not come back.
func (f *follower) call(at place, i insn, s *state) bool {
	switch {
	case i.src == srcCall:
		if t, ok := f.c.targets[at]; ok && t.kind == targetExtern { // clang calls kfuncs so, too
			f.kfunc(at, t.name)
			f.afterCall(s, value{})
			return true
		}
		to, ok := f.c.callee(at)
		if !ok {
			f.gaveUp("it calls what is no function")
			f.afterCall(s, value{})
			return true
		}
		return f.inside(to, s)
	case i.src == srcKfunc:
		f.kfunc(at, f.c.targets[at].name)
	case f.record:
		f.helper(at, i.imm, s)
	}
	f.effects(i, s)
	f.afterCall(s, value{})
	return true
}

func (f *follower) kfunc(at place, name string) {
	if c := (Call{Kfunc: name, Where: f.c.where(at), Line: f.c.line(at)}); f.record && name != "" && f.once(c) {
		f.out.Kfuncs = append(f.out.Kfuncs, c)
	}
}

// inside follows a call of a function of the object.
func (f *follower) inside(to place, s *state) bool {
	inner := s.clone()
	for r := range inner.regs {
		if r == 0 || r > 5 {
			inner.regs[r] = value{}
		}
	}
	inner.regs[10] = value{kind: frame, slot: f.depth + 1}
	result, returns := f.function(to, inner, f.depth+1, f.record)
	for r := 1; r <= 5; r++ { // it may have written what it got pointers to
		if v := s.regs[r]; v.kind == frame {
			s.forget(v, -1)
		}
	}
	if result.kind == frame && result.slot > f.depth {
		result = value{}
	}
	f.afterCall(s, result)
	return returns
}

// afterCall: calls leave nothing in the registers of arguments.
func (f *follower) afterCall(s *state, result value) {
	for r := 1; r <= 5; r++ {
		s.regs[r] = value{}
	}
	s.regs[0] = result
}

// helper notes what a helper is called for.
func (f *follower) helper(at place, number int32, s *state) {
	c := Call{Helper: number, Where: f.c.where(at), Line: f.c.line(at)}
	if f.once(c) {
		f.out.Helpers = append(f.out.Helpers, c)
	}
	from, size := s.regs[3], s.regs[2]
	switch number {
	case helperProbeRead, helperReadKernel, helperReadUser:
		if from.kind == context && size.kind == constant && size.n > 0 && size.n <= 1<<16 {
			f.note(at, int(from.n), int(size.n), from.relo)
			return
		}
		if from.relo == 0 || size.kind != constant {
			return
		}
		y := Copy{Relo: &f.c.relos[from.relo-1], Size: size.n, User: number == helperReadUser, Where: c.Where, Line: c.Line}
		if f.once(y) {
			f.out.Copies = append(f.out.Copies, y)
		}
	}
}

// effects is what a helper does to the stack.
func (f *follower) effects(i insn, s *state) {
	to, size, from := s.regs[1], s.regs[2], s.regs[3]
	switch i.imm {
	case helperProbeRead, helperReadKernel, helperReadUser, helperProbeReadStr, helperReadKernelStr, helperReadUserStr:
		if to.kind != frame {
			return
		}
		if size.kind != constant {
			s.forget(to, -1)
			return
		}
		s.forget(to, size.n)
		if from.kind == context && size.n <= 8 && i.imm != helperProbeReadStr { // PT_REGS_PARM1_CORE
			s.stack[stackSlot{to.slot, to.n}] = value{kind: fromContext, slot: int(from.n), width: int(size.n)}
		}
		return
	case 1, 2, 3, 6, 25, 27, 87, 88, 89, 130: // they only read what they get: maps, trace_printk, output
		return
	}
	for r := 1; r <= 5; r++ {
		if v := s.regs[r]; v.kind == frame {
			s.forget(v, -1)
		}
	}
}
