package bpfobj

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/surehook/surehook/kernel/core"
)

// Kernel is what a program asks of the kernel that it is loaded into.
type Kernel interface {
	// Resolve answers a relocation.
	Resolve(r *Relocation) (core.Answer, error)
	// Extern gives the value of a variable of .kconfig ("LINUX_KERNEL_VERSION",
	// "CONFIG_HZ"); known is false if it cannot be told.
	Extern(name string) (value uint64, known bool, err error)
	// Symbol tells whether the kernel has a function or variable that the
	// program refers to by name; known is false if it cannot be told.
	Symbol(name string) (there, known bool, err error)
}

// Trace is what a program can do on one kernel: what its instructions ask,
// where control can get to. Reads of what control cannot get to are not in it.
type Trace struct {
	Failed  []Failure     // relocations that cannot be made for the kernel, and can be reached
	Guarded []*Relocation // that cannot be made, and cannot be reached
	Reads   []ContextRead
	Uses    []Use
	Copies  []Copy
	Helpers []Call // by number
	Kfuncs  []Call // by name
	Maps    []MapUse
	// NotKnown says why not all of the program was followed; "" if it was.
	// Then relocations of parts that were not followed count as reached.
	NotKnown string
}

// Failure is a relocation that cannot be made where control can get to.
type Failure struct {
	Relo *Relocation
	// Resized: the kernel has the field in another size, which the instruction
	// that loads or stores it cannot have.
	Resized bool
	Unless  string
}

// ContextRead is a load from the program's context.
type ContextRead struct {
	Offset int         // in bytes, as compiled
	Size   int         // in bytes
	Relo   *Relocation // that the offset comes from; nil if it is fixed
	Where  string
	Line   string
	// Unless is the variable that the loader can set so that control does not
	// get here; "" if there is none.
	Unless string
}

// Use is something that was loaded from the context, at Offset, used as a
// pointer to the root of a relocation.
type Use struct {
	Offset int
	Relo   *Relocation
	Where  string
	Line   string
	// Unless is the variable that the loader can set so that control does not
	// get here; "" if there is none.
	Unless string
}

// Copy is a call that reads Size bytes of the field of a relocation.
type Copy struct {
	Relo   *Relocation
	Size   int64
	User   bool // of user space
	Where  string
	Line   string
	Unless string // as of a ContextRead
}

// Call is a call of a helper or kfunc.
type Call struct {
	Helper int32  // number in enum bpf_func_id
	Kfunc  string // name
	Where  string
	Line   string
	// Unless is the variable that the loader can set so that control does not
	// get here; "" if there is none.
	Unless string
}

// MapUse is a map that the program refers to.
type MapUse struct {
	Map
	Where string
}

// maxSettings bounds how many branches on variables of the loader are tried
// both ways.
const maxSettings = 32

// Trace follows the program on a kernel.
func (p *Program) Trace(k Kernel) (*Trace, error) {
	if p.code == nil {
		return &Trace{NotKnown: "there is no code"}, nil
	}
	answers, key, err := p.ask(k)
	if err != nil {
		return nil, err
	}
	if t, ok := p.traces[key]; ok {
		return t, nil
	}
	k = remembered{k, answers}
	t := p.follow(k, nil)
	if t.err != nil {
		return nil, t.err
	}
	for i, b := range t.settings {
		if i == maxSettings {
			break
		}
		for _, jumps := range []bool{true, false} {
			other := p.follow(k, &forced{at: b.at, jumps: jumps})
			if other.err != nil {
				return nil, other.err
			}
			t.out.unless(other.out, b.name)
		}
	}
	if p.traces == nil {
		p.traces = map[string]*Trace{}
	}
	p.traces[key] = t.out
	return t.out, nil
}

// remembered is a kernel whose answers to relocations are known.
type remembered struct {
	Kernel
	answers map[*Relocation]core.Answer
}

// Resolve gives the answer.
func (r remembered) Resolve(relo *Relocation) (core.Answer, error) {
	if a, ok := r.answers[relo]; ok {
		return a, nil
	}
	return r.Kernel.Resolve(relo)
}

// ask gives a kernel's answers to all that a program asks it, and a text that
// is the same for kernels on which it does the same. Where fields are does not
// matter to that, only whether they are there.
func (p *Program) ask(k Kernel) (map[*Relocation]core.Answer, string, error) {
	answers := map[*Relocation]core.Answer{}
	var key []byte
	for _, i := range p.relocations() {
		r := &p.code.relos[i]
		a, err := k.Resolve(r)
		if err != nil {
			return nil, "", err
		}
		switch r.Kind {
		case core.FieldOffset, core.FieldLeftShift, core.FieldRightShift, core.TypeIDLocal, core.TypeIDTarget:
			a.Known = false
		}
		answers[r] = a
		key = fmt.Appendf(key, "%t%t%t", a.Fails, a.Resized, a.Known)
		if a.Known {
			key = fmt.Appendf(key, "%d", a.Value)
		}
	}
	for _, name := range p.code.outside {
		v, known, err := k.Extern(name)
		if err != nil {
			return nil, "", err
		}
		there, known2, err := k.Symbol(name)
		if err != nil {
			return nil, "", err
		}
		key = fmt.Appendf(key, " %d%t%t%t", v, known, there, known2)
	}
	return answers, string(key), nil
}

// unless notes what control does not get to if a variable is set otherwise.
func (t *Trace) unless(other *Trace, name string) {
	mark := func(unless *string, there bool) {
		if !there && *unless == "" {
			*unless = name
		}
	}
	for i := range t.Failed {
		f := &t.Failed[i]
		mark(&f.Unless, slices.ContainsFunc(other.Failed, func(o Failure) bool { return o.Relo == f.Relo }))
	}
	for i := range t.Reads {
		r := &t.Reads[i]
		mark(&r.Unless, slices.ContainsFunc(other.Reads, func(o ContextRead) bool { return o.Where == r.Where && o.Offset == r.Offset }))
	}
	for i := range t.Uses {
		u := &t.Uses[i]
		mark(&u.Unless, slices.ContainsFunc(other.Uses, func(o Use) bool { return o.Where == u.Where && o.Offset == u.Offset && o.Relo == u.Relo }))
	}
	for i := range t.Copies {
		y := &t.Copies[i]
		mark(&y.Unless, slices.ContainsFunc(other.Copies, func(o Copy) bool { return o.Where == y.Where && o.Relo == y.Relo }))
	}
	for _, list := range []struct{ mine, others []Call }{{t.Helpers, other.Helpers}, {t.Kfuncs, other.Kfuncs}} {
		for i := range list.mine {
			y := &list.mine[i]
			mark(&y.Unless, slices.ContainsFunc(list.others, func(o Call) bool { return o.Where == y.Where }))
		}
	}
}

// forced is a branch on a variable of the loader that goes one way.
type forced struct {
	at    place
	jumps bool
}

// settingBranch is a branch on a variable of the loader.
type settingBranch struct {
	at   place
	name string
}

// follow follows the program, and its callbacks with arguments that are not known.
func (p *Program) follow(k Kernel, force *forced) *tracer {
	t := &tracer{c: p.code, k: k, force: force, answers: map[int]core.Answer{}, out: &Trace{}, failed: map[int]bool{}, noted: map[any]bool{}, called: map[place]bool{}, left: maxWork}
	s := &state{stack: map[stackSlot]value{}}
	s.regs[1], s.regs[10] = value{kind: context}, value{kind: frame}
	t.function(p.entry, s, 0, true)
	for len(t.callbacks) > 0 && t.err == nil {
		at := t.callbacks[0]
		t.callbacks = t.callbacks[1:]
		s := &state{stack: map[stackSlot]value{}}
		s.regs[10] = value{kind: frame}
		t.function(at, s, 0, true)
	}
	t.finish(p)
	return t
}

// maxWork bounds the instructions that are followed in one program. The
// kernel's own bound is a million; functions are followed at each call.
const maxWork = 1 << 20

// maxFrames is how deep functions can call each other (MAX_CALL_FRAMES).
const maxFrames = 8

type tracer struct {
	c         *code
	k         Kernel
	answers   map[int]core.Answer // by index of the relocation
	out       *Trace
	force     *forced
	settings  []settingBranch
	failed    map[int]bool // relocations that fail where they can be reached
	noted     map[any]bool
	callbacks []place
	called    map[place]bool // callbacks, each once
	left      int
	err       error
}

// gaveUp notes why not all was followed.
func (t *tracer) gaveUp(why string) {
	t.out.NotKnown = cmp.Or(t.out.NotKnown, why)
}

// answer resolves a relocation once.
func (t *tracer) answer(i int) core.Answer {
	a, ok := t.answers[i]
	if !ok && t.err == nil {
		a, t.err = t.k.Resolve(&t.c.relos[i])
		t.answers[i] = a
	}
	return a
}

// finish sorts the relocations that fail.
func (t *tracer) finish(p *Program) {
	for _, i := range p.relocations() {
		r, a := &t.c.relos[i], t.answer(i)
		switch {
		case t.failed[i], t.out.NotKnown != "" && a.Fails:
			t.out.Failed = append(t.out.Failed, Failure{Relo: r, Resized: !a.Fails})
		case a.Fails:
			t.out.Guarded = append(t.out.Guarded, r)
		}
	}
	slices.SortStableFunc(t.out.Reads, func(a, b ContextRead) int { return cmp.Compare(a.Offset, b.Offset) })
	slices.SortStableFunc(t.out.Uses, func(a, b Use) int { return cmp.Compare(a.Offset, b.Offset) })
}

// once tells whether something is noted for the first time.
func (t *tracer) once(what any) bool {
	if t.noted[what] {
		return false
	}
	t.noted[what] = true
	return true
}

// relocations gives the indices of the relocations of the program and of the
// functions that it can call.
func (p *Program) relocations() []int {
	if p.relos != nil {
		return p.relos
	}
	var out []int
	p.each(func(at place, _ insn) {
		if i, ok := p.code.reloAt[at]; ok {
			out = append(out, i)
		}
	})
	slices.Sort(out)
	p.relos = append([]int{}, out...)
	return p.relos
}

// end is the slot behind a function: where the next one begins.
func (c *code) end(f place) int {
	s := &c.o.sections[f.section]
	end := len(s.data) / insnSize
	for _, y := range c.o.functions[f.section] {
		if at := int(min(y.value, maxObject) / insnSize); at > f.slot {
			return min(at, end)
		}
	}
	return end
}

// insn gives an instruction; false behind the end of its section.
func (c *code) insn(p place) (insn, bool) {
	data := c.o.sections[p.section].data
	if p.slot < 0 || p.slot >= len(data)/insnSize {
		return insn{}, false
	}
	return decode(data[p.slot*insnSize:]), true
}

// callee is the function that an instruction calls, or whose address it takes.
func (c *code) callee(p place) (place, bool) {
	i, ok := c.insn(p)
	if !ok {
		return place{}, false
	}
	t, related := c.targets[p]
	switch {
	case i.class() == classJMP && i.op() == opCall && i.src == srcCall:
		if !related {
			return place{p.section, p.slot + int(i.imm) + 1}, true
		}
		if t.kind == targetCode {
			return place{t.at.section, t.at.slot + int(i.imm) + 1}, true
		}
	case i.loads64() && related && t.kind == targetCode:
		return place{t.at.section, t.at.slot + int(i.imm)/insnSize}, true
	}
	return place{}, false
}
