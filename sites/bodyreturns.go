package sites

import (
	"slices"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// addBodyReturns adds what sees an out-of-line body return: a uretprobe at its
// entry or, where that breaks the program or miscounts, its return instructions.
func (b *Binary) addBodyReturns(r *Result, t *tally, f *function, ref *bodyRef) {
	if ref.part || ref.wrapper || ref.named && ref.sym.IFunc() {
		n := len(r.Sites)
		b.addBody(r, t, f, ref) // which returns elsewhere, if at all
		for i := n; i < len(r.Sites); i++ {
			r.Sites[i].Return = true // what a resolver chooses
		}
		return
	}
	if b.uncalled(ref) {
		t.unsafe = "control does not come there by a call: a uretprobe takes what is on the stack for a return address and breaks the program"
		t.doubt(ReasonNoReturn, "the body is not called and does not return")
		return
	}
	bd, goCode := b.goBody(ref), b.goCode(ref)
	g, err := bd.graph, bd.err
	t.goReturn = t.goReturn || goCode
	t.unwinds = t.unwinds || !goCode && b.unwinds() && !b.returns(ref.entry, maxCallDepth)
	moved := b.safeEntry(&tally{}, ref) != ref.entry
	t.nested = t.nested || !goCode && err == nil && callsItself(g)
	if !goCode && !moved && !t.unwinds && (err != nil || ref.die < 0 || !b.allEndsKnown(g)) {
		if t.nested {
			t.doubt(ReasonNested, nestedWhy)
		}
		n := len(r.Sites)
		b.addBody(r, t, f, ref)
		for i := n; i < len(r.Sites); i++ {
			r.Sites[i].Return = true
		}
		return
	}
	t.hazard = t.hazard || moved
	if err != nil {
		t.doubt(ReasonUndecodable, "the return instructions of the body cannot be found: "+err.Error())
		return
	}
	if ref.die < 0 {
		t.noDebug = true
	} else if !goCode { // which comes back to its entry with a larger stack
		bd.doubtEntry(t)
	}
	n := len(r.Sites)
	b.addEnds(r, t, g)
	for _, s := range r.Sites[n:] {
		if t.ends == nil {
			t.ends = map[uint64]uint64{}
		}
		t.ends[s.Address] = ref.entry
	}
}

// nestedWhy says what a uretprobe misses of a recursion (MAX_URETPROBE_DEPTH in
// include/linux/uprobes.h, all of a thread's uretprobes together).
const nestedWhy = "the function calls itself, and the kernel takes no more than 64 return probes of a thread at a time"

// callsItself tells whether a function calls its own entry.
func callsItself(g *flow.Graph) bool {
	if g.Entry < 0 {
		return false
	}
	entry := g.Insns[g.Entry].Addr
	return slices.ContainsFunc(g.Insns, func(in flow.Insn) bool { return in.Kind == flow.Call && in.Target == entry })
}

// allEndsKnown tells whether a function ends nowhere but in return instructions
// and calls that never come back. Then probes on these see what a uretprobe
// sees and more: however deep calls are nested, however often a loop comes
// back to the entry.
func (b *Binary) allEndsKnown(g *flow.Graph) bool {
	if len(g.Unresolved)+len(g.Tails)+len(g.Bad) > 0 {
		return false
	}
	returns := false
	for i := range g.Insns {
		in := &g.Insns[i]
		returns = returns || in.Kind == flow.Return
		switch {
		case in.Kind == flow.Call && !in.NoReturn && inside(g, in.Target):
			return false // a call that is none: its return may be a jump
		case len(g.Succ(int32(i))) > 0, in.Kind == flow.Return, in.Kind == flow.Trap, in.NoReturn, in.Nop:
		case in.Kind == flow.Jump && b.neverReturns(in.Target):
		default:
			return false
		}
	}
	for _, i := range g.Out {
		if !b.neverReturns(g.Insns[i].Target) {
			return false
		}
	}
	return returns
}

// inside tells whether an instruction of the graph other than the entry begins
// at the virtual address.
func inside(g *flow.Graph, addr uint64) bool {
	i, ok := g.At(addr)
	return ok && i != g.Entry
}

// markEnds says of the returns of the body that the plain probe is on that it
// sees them.
func (b *Binary) markEnds(r *Result, t *tally) {
	for i := range r.Sites {
		s := &r.Sites[i]
		entry, ok := t.ends[s.Address]
		if !ok || s.Kind != Exit || s.Copy != 0 || len(r.PlainAt) == 0 {
			continue
		}
		off, ok := b.file.FileOffset(entry)
		s.Plain = ok && off == r.PlainAt[0]
	}
}

// returnsAt makes the returns of the body that begins at a virtual address the
// result's sites. Elsewhere no return address is on top of the stack.
func (b *Binary) returnsAt(r *Result, addr uint64, boundary Judgement) {
	ref := b.bodyAt(addr)
	if ref == nil || boundary.Verdict == None {
		if boundary.Verdict != None {
			boundary = Judgement{None, []Reason{{ReasonUnsafe, "no function is known to begin at the address: a uretprobe would take what is on the stack there for a return address"}}}
		}
		r.Plain, r.Plan = boundary, boundary
		return
	}
	t := &tally{}
	f := b.index.at(addr)
	if f == nil {
		f = &function{}
	}
	this := *ref // alone is meant, whatever it is to its function
	this.part, this.wrapper = false, false
	b.addBodyReturns(r, t, f, &this)
	j := Judgement{Verdict: boundary.Verdict, Reasons: slices.Clone(boundary.Reasons)}
	for _, d := range t.doubts {
		j.Reasons = append(j.Reasons, d)
		j.Verdict = worse(j.Verdict, doubtVerdict(d.Code))
	}
	r.Plain, r.Plan = Judgement{j.Verdict, slices.Clone(j.Reasons)}, j
	if t.unsafe != "" || t.unwinds || t.goReturn {
		r.Plain = b.noPlain(r, b.index.at(addr), t)
	} else if off, ok := b.file.FileOffset(addr); ok {
		r.PlainAt = []uint64{off}
	}
	for i := range r.Sites {
		r.Sites[i].Plain = r.Sites[i].Return
	}
	b.markEnds(r, t)
	if t.nested {
		r.Plain.add([]Reason{{ReasonNested, nestedWhy}})
	}
	if len(r.Sites) == 0 {
		r.Plan.Verdict = None
	}
}

// bodyAt finds the body that begins at a virtual address, nil if there is none.
func (b *Binary) bodyAt(addr uint64) *bodyRef {
	f := b.index.at(addr)
	if f == nil {
		return nil
	}
	for i := range f.bodies {
		if f.bodies[i].entry == addr {
			return &f.bodies[i]
		}
	}
	return nil
}

// uncalled tells whether a body is entered by other ways than a call: where
// the program starts (no return address is on the stack, System V ABI AMD64
// 3.4.1), and the C library's return from signal handlers.
func (b *Binary) uncalled(ref *bodyRef) bool {
	if ref.named && slices.Contains(uncalledNames, ref.sym.Name) {
		return true
	}
	// Of a library the entry point is nothing but the beginning of its code.
	return ref.entry == b.file.EntryPoint() && slices.ContainsFunc(b.file.Sections(), func(s elfbin.SectionHeader) bool { return s.Name == ".interp" })
}

// uncalledNames are those that glibc and musl give such code.
var uncalledNames = []string{"_start", "__restore_rt", "__restore"}

// findUnwinds tells whether the file holds code that exceptions pass: tables of
// what to do then (LSB 5.0, Exception Frames), or an unwinder's functions.
func (b *Binary) findUnwinds() bool {
	for _, s := range b.file.Sections() {
		if s.Name == ".gcc_except_table" {
			return true
		}
	}
	return slices.ContainsFunc([]string{"_Unwind_RaiseException", "_Unwind_Resume", "__cxa_throw"}, func(name string) bool {
		return len(b.file.Lookup(name)) > 0
	})
}

// addEnds adds the instructions with which a function ends: every return,
// reached by an edge of the code or, like the epilogue that a recovered panic
// of Go comes to, not; and the jumps to other functions, which return for it.
func (b *Binary) addEnds(r *Result, t *tally, g *flow.Graph) {
	n := len(r.Sites)
	add := func(i int32, cond flow.Cond) {
		s, ok := b.siteAt(g.Insns[i].Addr, Exit, cond)
		if !ok {
			t.doubt(ReasonUndecodable, "the end of the body at "+hex(g.Insns[i].Addr)+" lies outside the file's code segments")
			return
		}
		r.Sites = append(r.Sites, s)
	}
	for i := range g.Insns {
		if g.Insns[i].Kind == flow.Return {
			add(int32(i), flow.Cond{})
		}
	}
	for _, i := range g.Out {
		in := &g.Insns[i]
		if b.neverReturns(in.Target) {
			continue
		}
		cond := flow.Cond{}
		if in.Kind == flow.CondJump {
			cond = in.Cond
		}
		add(i, cond)
		b.doubtJump(t, in, b.returns(in.Target, maxCallDepth))
	}
	for _, i := range g.Tails {
		add(i, flow.Cond{})
		b.doubtJump(t, &g.Insns[i], false)
	}
	for _, i := range g.Unresolved {
		t.doubt(ReasonIndirect, "the targets of the indirect jump at "+hex(g.Insns[i].Addr)+" are not known: it may leave the function")
	}
	if len(g.Bad) > 0 {
		t.doubt(ReasonUndecodable, "an instruction at "+hex(g.Bad[0])+" cannot be read")
	}
	if len(r.Sites) == n {
		t.doubt(ReasonNoReturn, "the body has no return")
	}
}

// doubtJump says that a jump to another function is taken for a return.
func (b *Binary) doubtJump(t *tally, in *flow.Insn, returns bool) {
	if !returns {
		t.doubt(ReasonExitEarly, "the return is counted at the jump at "+hex(in.Addr)+" to another function, which may not come back")
	}
}
