package bpfobj

import "strings"

// load64 follows a load of 64 bits: a number, or the address of something.
func (f *follower) load64(at place, i insn, s *state) {
	t, related := f.c.targets[at]
	r, n := f.relo(at, false)
	switch {
	case related:
		s.set(i.dst, f.address(at, t))
	case r != nil:
		v := f.patched(n)
		v.relo = 0
		s.set(i.dst, v)
	case i.src == 0:
		high, _ := f.c.insn(place{at.section, at.slot + 1})
		s.set(i.dst, number(int64(high.imm)<<32|int64(uint32(i.imm))))
	default:
		s.set(i.dst, value{})
	}
}

// address gives the value of a symbol.
func (f *follower) address(at place, t target) value {
	switch t.kind {
	case targetData:
		if strings.HasPrefix(t.section, ".rodata") {
			return value{kind: settings, name: t.name}
		}
	case targetMap:
		if f.record && f.once(t) {
			f.out.Maps = append(f.out.Maps, MapUse{Map: f.c.mapNamed(t.name), Where: f.c.where(at)})
		}
	case targetCode:
		if to, ok := f.c.callee(at); ok && f.record {
			if !f.called[to] {
				f.called[to] = true
				f.callbacks = append(f.callbacks, to)
			}
		}
	case targetExtern:
		if f.c.kconfig[t.name] {
			return value{kind: external, name: t.name}
		}
		if !f.c.externs[t.name] {
			return value{}
		}
		there, known, err := f.k.Symbol(t.name)
		if err != nil {
			f.err = err
		}
		if known && !there {
			return number(0)
		}
	}
	return value{}
}

func (c *code) mapNamed(name string) Map {
	if m, ok := c.maps[name]; ok {
		return m
	}
	return Map{Name: name}
}

func (f *follower) load(at place, i insn, s *state) {
	p := s.reg(i.src)
	_, n := f.relo(at, true)
	out := value{}
	switch p.kind {
	case context:
		out = f.read(at, p, i, n)
	case frame:
		out = s.stack[stackSlot{p.slot, p.n + int64(i.off)}]
		if i.width() < 8 && out.kind != constant && out.kind != fromContext {
			out = value{}
		}
	case fromContext:
		if n != 0 && p.n == 0 && p.relo == 0 && f.record {
			f.use(at, p, n)
		}
	case settings:
		out = value{kind: setting, name: p.name}
	case external:
		if i.off == 0 && p.n == 0 {
			v, known, err := f.k.Extern(p.name)
			if err != nil {
				f.err = err
			}
			if known {
				out = number(int64(v))
			}
		}
	}
	if i.mode() == modeMemSX && out.kind == constant {
		out = value{}
	}
	s.set(i.dst, out)
}

// read notes a load from the context.
func (f *follower) read(at place, p value, i insn, relo int) value {
	if relo == 0 {
		relo = p.relo
	}
	offset := int(p.n) + int(i.off)
	f.note(at, offset, i.width(), relo)
	return value{kind: fromContext, slot: offset, width: i.width()}
}

func (f *follower) note(at place, offset, size, relo int) {
	if !f.record {
		return
	}
	r := ContextRead{Offset: offset, Size: size, Where: f.c.where(at), Line: f.c.line(at)}
	if relo != 0 {
		r.Relo = &f.c.relos[relo-1]
	}
	if f.once(r) {
		f.out.Reads = append(f.out.Reads, r)
	}
}

func (f *follower) store(at place, i insn, s *state) {
	f.relo(at, true)
	p := s.reg(i.dst)
	v := number(int64(i.imm))
	if i.class() == classSTX {
		v = s.reg(i.src)
	}
	if i.mode() == modeAtomic {
		v = value{}
		if i.imm&1 != 0 { // BPF_FETCH, and compare and exchange by r0
			s.set(i.src, value{})
			s.regs[0] = value{}
		}
	}
	switch p.kind {
	case frame:
		slot := stackSlot{p.slot, p.n + int64(i.off)}
		s.forget(value{slot: p.slot, n: slot.at}, int64(i.width()))
		if v.kind != anything || v.relo != 0 {
			s.stack[slot] = v
		}
	case context, fromContext, external, constant:
	default: // memory elsewhere; the stack is only reached through frame pointers
	}
}
