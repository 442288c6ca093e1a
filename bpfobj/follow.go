package bpfobj

// function follows a function from its entry with what is known there, and
// gives what is known of its result. The first time goes round until nothing
// changes any more; what is recorded comes from a last time over the result.
func (t *tracer) function(entry place, s *state, depth int, record bool) (result value, returns bool) {
	if depth >= maxFrames {
		t.gaveUp("its functions call each other too deep")
		return value{}, true
	}
	f := follower{tracer: t, depth: depth, before: map[place]*state{}}
	f.flow(entry, s)
	for len(f.queue) > 0 && t.err == nil && t.left > 0 {
		at := f.queue[len(f.queue)-1]
		f.queue = f.queue[:len(f.queue)-1]
		f.block(at, f.before[at].clone())
	}
	if record {
		f.record = true
		for _, at := range f.starts {
			if t.err == nil && t.left > 0 {
				f.block(at, f.before[at].clone())
			}
		}
	}
	if t.left <= 0 {
		t.gaveUp("it has more ways through it than are followed")
	}
	return f.result, f.returns
}

// follower follows one call of one function.
type follower struct {
	*tracer
	depth   int
	before  map[place]*state // at the beginnings of blocks
	starts  []place          // of blocks, in the order they were reached
	queue   []place
	record  bool
	result  value
	returns bool
}

// flow takes a state to the beginning of a block.
func (f *follower) flow(to place, s *state) {
	if f.record {
		return
	}
	have, ok := f.before[to]
	if !ok {
		f.before[to] = s.clone()
		f.starts = append(f.starts, to)
		f.queue = append(f.queue, to)
		return
	}
	if have.merge(s) {
		f.queue = append(f.queue, to)
	}
}

// block follows instructions up to a branch, or up to another block.
func (f *follower) block(at place, s *state) {
	for first := true; ; first = false {
		if _, other := f.before[at]; other && !first {
			f.flow(at, s)
			return
		}
		i, ok := f.c.insn(at)
		if f.left--; !ok || f.left <= 0 || f.err != nil {
			if !ok {
				f.gaveUp("control leaves its section")
			}
			return
		}
		next := place{at.section, at.slot + 1}
		switch class := i.class(); {
		case i.loads64():
			f.load64(at, i, s)
			next.slot++
		case class == classLD:
			s.regs[0] = value{} // from a packet
		case class == classLDX:
			f.load(at, i, s)
		case class == classST || class == classSTX:
			f.store(at, i, s)
		case class == classALU || class == classALU64:
			f.alu(at, i, s)
		case i.op() == opExit:
			f.exit(s)
			return
		case i.op() == opCall && class == classJMP:
			if !f.call(at, i, s) {
				return
			}
		default:
			f.branch(at, i, s)
			return
		}
		at = next
	}
}

func (f *follower) exit(s *state) {
	if f.returns {
		f.result = join(f.result, s.regs[0])
	} else {
		f.result = s.regs[0]
	}
	f.returns = true
}

func (f *follower) branch(at place, i insn, s *state) {
	next := place{at.section, at.slot + 1}
	to := place{at.section, next.slot + int(i.off)}
	if i.op() == opJA {
		if i.class() == classJMP32 { // gotol
			to.slot = next.slot + int(i.imm)
		}
		f.flow(to, s)
		return
	}
	b := number(int64(i.imm))
	if i.register() {
		b = s.reg(i.src)
	}
	a := s.reg(i.dst)
	jumps, falls := taken(i.op(), i.class() == classJMP, a, b)
	if a.kind != setting {
		a = b
	}
	if a.kind == setting {
		if f.force != nil && f.force.at == at {
			jumps, falls = f.force.jumps, !f.force.jumps
		}
		if branch := (settingBranch{at, a.name}); f.record && f.once(branch) {
			f.settings = append(f.settings, branch)
		}
	}
	if falls {
		f.flow(next, s)
	}
	if jumps {
		f.flow(to, s)
	}
}

// reg gives a register; those that are none have no value.
func (s *state) reg(n uint8) value {
	if int(n) >= len(s.regs) {
		return value{}
	}
	return s.regs[n]
}

// set changes a register; the frame pointer cannot be changed.
func (s *state) set(n uint8, v value) {
	if n < 10 {
		s.regs[n] = v
	}
}

// relo gives the relocation of an instruction; nil without one. One that
// fails for the kernel is noted. loads tells that the instruction itself moves
// the field.
func (f *follower) relo(at place, loads bool) (r *Relocation, number int) {
	i, ok := f.c.reloAt[at]
	if !ok {
		return nil, 0
	}
	if a := f.answer(i); a.Fails || loads && a.Resized {
		f.failed[i] = true
	}
	return &f.c.relos[i], i + 1
}

// patched is the value that an instruction gets from its relocation.
func (f *follower) patched(n int) value {
	a := f.answer(n - 1)
	if !a.Known {
		return value{relo: n}
	}
	return value{kind: constant, n: int64(a.Value), relo: n}
}

func (f *follower) alu(at place, i insn, s *state) {
	b := number(int64(i.imm))
	r, n := f.relo(at, false)
	switch {
	case r != nil && !i.register():
		b = f.patched(n)
		if !r.Kind.OfField() || r.Kind.Asks() {
			b.relo = 0
		}
	case i.register():
		b = s.reg(i.src)
	}
	op, wide := i.op(), i.class() == classALU64
	if op == 0x80 || op == 0xd0 { // negation and byte order
		s.set(i.dst, value{})
		return
	}
	if op == opMov && i.register() && i.off != 0 { // with sign extension
		b = value{}
	}
	a := s.reg(i.dst)
	if op == opAdd {
		a, b = f.localOffset(a, b), f.localOffset(b, a)
		f.used(at, a, b)
		f.used(at, b, a)
	}
	s.set(i.dst, compute(op, wide, a, b))
}

// localOffset makes an offset that is added to the context the one that the
// object was compiled with: that is how reads of the context are told apart.
func (f *follower) localOffset(v, to value) value {
	if v.relo != 0 && to.kind == context {
		return value{kind: constant, n: int64(min(f.c.relos[v.relo-1].Offset, 1<<20)), relo: v.relo}
	}
	return v
}

// used notes that the offset of a field was added to what came from the context.
func (f *follower) used(at place, p, offset value) {
	if !f.record || p.kind != fromContext || p.n != 0 || p.relo != 0 || offset.relo == 0 {
		return
	}
	f.use(at, p, offset.relo)
}

func (f *follower) use(at place, p value, relo int) {
	u := Use{Offset: p.slot, Relo: &f.c.relos[relo-1], Where: f.c.where(at), Line: f.c.line(at)}
	if f.once(u) {
		f.out.Uses = append(f.out.Uses, u)
	}
}
