package sites

import (
	"debug/elf"
	"slices"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
)

// resolveClone handles a hook that names a compiler's clone (f.part.0,
// f.constprop.0): that one body is meant, not the function.
func (b *Binary) resolveClone(h hook.Hook) (Result, bool) {
	_, suffix := splitClone(h.Function)
	if suffix.text == "" || h.HasOffset {
		return Result{}, false
	}
	for _, s := range b.file.Lookup(h.Function) {
		if !s.Func() {
			continue
		}
		f := b.index.at(s.Value)
		if f == nil && suffix.cold {
			f = b.coldOf(s)
		}
		if f == nil || f.name == h.Function {
			continue
		}
		r := b.newResult(h, f)
		r.Function = h.Function
		if suffix.cold && h.Kind == hook.Uretprobe {
			r.Plan = Judgement{None, []Reason{{ReasonUnsafe, "control jumps to the unlikely part of " + f.name + ": a uretprobe takes what is on the stack for a return address and breaks the program"}}}
			r.Plain = r.Plan
			return r, true
		}
		site, ok := b.siteAt(s.Value, Clone, flow.Cond{})
		if !ok {
			continue
		}
		site.Plain = true
		r.Sites, r.PlainAt = []Site{site}, []uint64{site.FileOffset}
		why := Reason{ReasonClone, "this clone alone is meant, not all of " + f.name}
		if suffix.part {
			why = Reason{ReasonPart, "this is the tail of calls of " + f.name + " that began elsewhere"}
		}
		if suffix.cold {
			why = Reason{ReasonPart, "this is the unlikely part of " + f.name + ": only executions that come there are seen"}
		}
		r.Plan = Judgement{Complete, []Reason{why}}
		r.Plain = r.Plan
		if h.Kind == hook.Uretprobe {
			r.Sites, r.PlainAt = nil, nil
			b.returnsAt(&r, s.Value, r.Plan)
		}
		return r, true
	}
	return Result{}, false
}

// coldOf finds the function whose unlikely part a symbol names.
func (b *Binary) coldOf(s elfbin.Symbol) *function {
	for _, f := range b.index.live() {
		if slices.Contains(f.colds, s) {
			return f
		}
	}
	return nil
}

// resolveUndefined handles a function that the file only imports.
func (b *Binary) resolveUndefined(h hook.Hook) (Result, bool) {
	for _, s := range b.file.Lookup(h.Function) {
		if s.Defined() || (s.Type != elf.STT_FUNC && s.Type != elf.STT_NOTYPE) {
			continue
		}
		why := Reason{ReasonUndefined, "the file calls " + s.Name + " but does not define it: only its PLT stub is here"}
		j := Judgement{None, []Reason{why}}
		return Result{
			Hook: h, Function: s.Name, Target: b.target(), Plain: j, Plan: j,
			Notes: Notes{Symbols: []elfbin.Symbol{s}},
		}, true
	}
	return Result{}, false
}

// resolveGhost handles a function that the debug information names without a
// body or a copy: all its calls were folded away, or there is none here.
func (b *Binary) resolveGhost(h hook.Hook) (Result, bool) {
	found := b.index.ghosts(h.Function)
	if len(found) == 0 {
		return Result{}, false
	}
	f := found[0]
	r := b.newResult(h, f)
	j := Judgement{None, []Reason{{ReasonNoSymbol, "the debug information names " + f.name + " but holds no body and no inlined copy: its calls were folded away, or it has none here"}}}
	if len(b.gaps) > 0 {
		j = Judgement{Unknown, b.gaps}
	}
	r.Plain, r.Plan = j, j
	return r, true
}

// resolveOffset handles f+0x10: that instruction of the function's body.
func (b *Binary) resolveOffset(h hook.Hook, f *function) (Result, error) {
	base, _, ok := b.plainAddress(f)
	if !ok {
		if len(f.bodies) == 0 {
			return Result{}, &AddressError{b.file.Path(), h.Offset, "an offset needs a body, and " + f.name + " is inlined everywhere"}
		}
		base = f.bodies[0].entry
	}
	sym, ok := b.file.SymbolAt(base)
	if ok && sym.Size > 0 && h.Offset >= sym.Size {
		return Result{}, &AddressError{b.file.Path(), base + h.Offset, "the offset lies behind the end of " + f.name + ", which has " + hex(sym.Size) + " bytes"}
	}
	r := b.newResult(h, f)
	return r, b.atAddress(&r, base+h.Offset)
}

// resolveAddress handles uprobe:FILE:0x1234.
func (b *Binary) resolveAddress(h hook.Hook) (Result, error) {
	sym, ok := b.file.SymbolAt(h.Address)
	f := &function{name: hex(h.Address)}
	if ok {
		f.name = sym.Name
		if owner := b.index.at(sym.Value); owner != nil {
			f = owner
		}
	}
	r := b.newResult(h, f)
	if err := b.atAddress(&r, h.Address); err != nil {
		return r, err
	}
	b.unnamed(&r, h.Address)
	return r, nil
}

// unnamed adds what .eh_frame and the machine code say of an address at which
// a function without debug information begins.
func (b *Binary) unnamed(r *Result, addr uint64) {
	if b.data != nil || r.Plan.Verdict != Complete || !b.layout().begins(addr) {
		return
	}
	r.Plan.Reasons = append(r.Plan.Reasons, Reason{ReasonEntry, "a function, or a part of one, begins there: so says .eh_frame"})
	e, err := b.evidence(&function{bodies: []bodyRef{{die: -1, entry: addr}}})
	if err != nil {
		r.Plan.Reasons = append(r.Plan.Reasons, Reason{ReasonUndecodable, "direct callers cannot be listed: " + err.Error()})
		return
	}
	r.Notes.Code = e
	r.Plan.Reasons = append(r.Plan.Reasons, Reason{ReasonEntry, e.String()})
}

// atAddress makes the one instruction at a virtual address the result's site.
func (b *Binary) atAddress(r *Result, addr uint64) error {
	s, ok := b.siteAt(addr, Offset, flow.Cond{})
	if !ok {
		return &AddressError{b.file.Path(), addr, "no code of the file lies there"}
	}
	s.Plain = true
	if s.Offset == 0 && s.Symbol != "" {
		s.Kind = Entry
	}
	j := b.judgeBoundary(addr)
	if r.Hook.Kind == hook.Uretprobe {
		b.returnsAt(r, addr, j)
		return nil
	}
	if j.Verdict != None {
		r.Sites, r.PlainAt = []Site{s}, []uint64{s.FileOffset}
	}
	r.Plain, r.Plan = j, j
	return nil
}

// judgeBoundary tells whether an instruction begins at the address. The
// kernel does not check: a breakpoint inside an instruction corrupts it.
func (b *Binary) judgeBoundary(addr uint64) Judgement {
	ranges, entry, ok := b.around(addr)
	if !ok {
		why := "no function is known around the address: it cannot be told whether an instruction begins there"
		if err := b.layout().err; err != nil {
			why += "; " + err.Error()
		}
		return Judgement{Unknown, []Reason{{ReasonUndecodable, why}}}
	}
	g, err := b.build(entry, ranges, nil)
	if err != nil {
		return Judgement{Unknown, []Reason{{ReasonUndecodable, err.Error()}}}
	}
	if _, ok := g.At(addr); ok {
		return Judgement{Complete, []Reason{{ReasonEntry, "every execution of the instruction is seen"}}}
	}
	if i, ok := g.Covering(addr); ok {
		in := g.Insns[i]
		return Judgement{None, []Reason{{ReasonNotBoundary, "the address is inside the instruction at " + hex(in.Addr) + ", " + hex(addr-in.Addr) + " bytes after its beginning: a breakpoint there would corrupt it"}}}
	}
	return Judgement{Unknown, []Reason{{ReasonUndecodable, "the code at the address cannot be disassembled"}}}
}

// around gives the code of the function that contains a virtual address.
func (b *Binary) around(addr uint64) (ranges []elfbin.Range, entry uint64, ok bool) {
	if b.data != nil {
		for i := range b.data.NumFuncs() {
			fn := b.data.Func(i)
			for _, r := range fn.Ranges {
				if r.Contains(addr) && b.file.Executable(addr) {
					return []elfbin.Range{r}, r.Low, true
				}
			}
		}
	}
	if sym, ok := b.file.SymbolAt(addr); ok && sym.Size > 0 && addr < sym.Value+sym.Size {
		return []elfbin.Range{{Low: sym.Value, High: sym.Value + sym.Size}}, sym.Value, true
	}
	r, ok := b.layout().fde(addr)
	return []elfbin.Range{r}, r.Low, ok
}
