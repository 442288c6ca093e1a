package sites

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// tally gathers, while sites are collected, what a verdict depends on.
type tally struct {
	marked     map[siteID]int // copies counted there whose beginning the line table marks
	doubts     []Reason
	clones     int
	unsafe     string // why a uretprobe breaks the program; empty if it does not
	ifunc      bool
	candidates []string          // the implementations that a resolver's code names
	unwinds    bool              // an exception may pass the function, which a uretprobe does not bear
	nested     bool              // a uretprobe misses deep recursion
	ends       map[uint64]uint64 // entries of bodies by the virtual address of their returns
	hazard     bool              // the first instruction must not be probed
	noDebug    bool              // a body without debug information

	stackChecks []stackCheck // Go bodies that are counted behind their stack check
	plainGrows  bool         // the plain probe is before such a check
	goReturn    bool         // a uretprobe would be put on Go code
}

func (t *tally) doubt(code ReasonCode, text string) {
	t.doubts = append(t.doubts, Reason{code, text})
}

// judge gives the two verdicts.
func (b *Binary) judge(r *Result, f *function, t *tally) {
	r.Plan = b.judgePlan(r, f, t)
	b.listLost(r, f)
	r.Plain = b.judgePlain(r, f, t)
}

// judgePlan: unknown outweighs partial only when nothing is known to be lost.
func (b *Binary) judgePlan(r *Result, f *function, t *tally) Judgement {
	j := Judgement{Verdict: Complete}
	for _, d := range t.doubts {
		j.Reasons = append(j.Reasons, d)
		j.Verdict = worse(j.Verdict, doubtVerdict(d.Code))
	}
	for _, l := range r.PlanLost {
		code := cmp.Or(l.Code, ReasonUnreached)
		j.Reasons = append(j.Reasons, Reason{code, "executions in " + l.Caller + " are not seen: " + l.Why})
		j.Verdict = worse(j.Verdict, Partial)
	}
	j.add(b.ignorance(f, t))
	if j.Verdict == Unknown && (b.data == nil || t.noDebug) {
		j.add(b.withoutDebug(f, &r.Notes))
	}
	if t.ifunc && len(t.candidates) == 0 {
		j.Reasons = append(j.Reasons, Reason{ReasonIFunc, "the symbol is an indirect function: calls go to what its resolver chooses"})
		j.Verdict = worse(j.Verdict, Partial)
	}
	if len(r.Sites) == 0 {
		if j.Verdict != Unknown {
			j.Verdict = None
		}
		if len(j.Reasons) == 0 {
			j.Reasons = append(j.Reasons, Reason{ReasonNoSymbol, "nothing of the function is left in the file"})
		}
		return j
	}
	if j.Verdict == Complete {
		j.Reasons = append(j.Reasons, Reason{ReasonEntry, plural(len(r.Sites), "site") + ": " + plural(r.Notes.Bodies, "out-of-line body") + ", " + plural(r.Notes.Copies, "inlined copy")})
	}
	return j
}

// ignorance lists why inlining cannot be told at all.
func (b *Binary) ignorance(f *function, t *tally) []Reason {
	switch {
	case b.dwErr != nil, len(b.gaps) > 0:
		return b.gaps
	case b.data == nil:
		return append([]Reason{{ReasonNoDebug, "no debug information: inlined copies cannot be told"}}, b.refused()...)
	case t.noDebug:
		return []Reason{{ReasonNoDebug, "the debug information does not describe this function: inlined copies cannot be told"}}
	}
	return b.hidden(f)
}

// hidden lists why copies of f may lie in code that has no DIE.
func (b *Binary) hidden(f *function) []Reason {
	s := b.stray()
	if s.outside && ofHeader(f) {
		return []Reason{{ReasonNoDebug, "code without debug information may hold inlined copies of a function from a header"}}
	}
	if in, ok := s.folded[f.number]; ok {
		return []Reason{{ReasonNoDebug, in + " was folded with equal code: the debug information does not say what is inlined into it"}}
	}
	return nil
}

// ofHeader tells whether a function comes from a header, which any code may
// have included.
func ofHeader(f *function) bool {
	switch strings.ToLower(path.Ext(f.declFile)) {
	case ".h", ".hh", ".hpp", ".hxx", ".inc", ".ipp", ".tcc":
		return true
	}
	return false
}

func (j *Judgement) add(unknown []Reason) {
	for _, u := range unknown {
		j.Reasons = append(j.Reasons, u)
		j.Verdict = worse(j.Verdict, Unknown)
	}
}

// worse folds two verdicts: what is known to be lost outweighs what is not
// known, and both outweigh complete.
func worse(a, b Verdict) Verdict {
	rank := map[Verdict]int{Complete: 0, Unknown: 1, Partial: 2, None: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// doubtVerdict says how much a doubt costs.
func doubtVerdict(c ReasonCode) Verdict {
	switch c {
	case ReasonCondition:
		return Partial
	case ReasonNoReturn:
		return Complete
	default:
		return Unknown
	}
}

// plain finds what bpftrace and libbpf would attach to: the first function
// symbol of exactly that name.
func (b *Binary) plain(r *Result, f *function) {
	addr, _, ok := b.plainAddress(f)
	if !ok {
		return
	}
	off, ok := b.file.FileOffset(addr)
	if !ok {
		return
	}
	r.PlainAt = []uint64{off}
	for i := range r.Sites {
		r.Sites[i].Plain = r.Sites[i].FileOffset == off && r.Sites[i].Kind != Exit
	}
}

// plainAddress gives the virtual address of the first symbol of the function's
// name. Where that is another function's (statics of one name in two files),
// the plain probe goes there and sees nothing of f: stranger is its address.
func (b *Binary) plainAddress(f *function) (addr, stranger uint64, ok bool) {
	want := []string{f.linkage, f.name}
	if f.linkage == "" {
		want = []string{f.name}
	}
	for _, name := range want {
		for _, s := range b.file.Lookup(name) {
			if !s.Func() || s.Hidden {
				continue
			}
			if f.hasBody(s.Value) {
				return s.Value, 0, true
			}
			return 0, s.Value, false
		}
	}
	// Constructors and the like: their symbols are spelled unlike the function.
	for _, r := range f.bodies {
		if r.named && !r.clone && r.sym.Func() && !renamed(r.sym.Name) {
			return r.entry, 0, true
		}
	}
	return 0, 0, false
}

func (f *function) hasBody(entry uint64) bool {
	return slices.ContainsFunc(f.bodies, func(r bodyRef) bool { return r.entry == entry })
}

// listLost lists the callers whose executions the plain probe does not see.
func (b *Binary) listLost(r *Result, f *function) {
	seen := map[Frame]bool{}
	for _, s := range r.Sites {
		if s.Plain {
			continue
		}
		switch s.Kind {
		case Inlined:
			if len(s.Callers) == 0 || seen[s.Callers[0]] {
				continue
			}
			seen[s.Callers[0]] = true
			r.Lost = append(r.Lost, lostAt(s.Callers, "calls an inlined copy of "+f.name))
		case Exit:
			caller, why := Frame{Function: s.Symbol}, "another body of "+f.name
			if len(s.Callers) > 0 {
				caller, why = s.Callers[0], "an inlined copy of "+f.name+" ends without a return"
			}
			if !seen[caller] && (len(s.Callers) > 0 || len(r.PlainAt) > 0) {
				seen[caller] = true
				r.Lost = append(r.Lost, lostAt([]Frame{caller}, why))
			}
		case Clone:
			r.Lost = append(r.Lost, Lost{Caller: s.Symbol, Why: "callers of the clone " + s.Symbol + " do not pass " + f.name})
		case Entry:
			if len(r.PlainAt) > 0 {
				r.Lost = append(r.Lost, Lost{Caller: s.Symbol, Why: "another body of " + f.name + " at " + hex(s.Address)})
			}
		}
	}
	r.Lost = append(r.Lost, r.PlanLost...)
}

// judgePlain: the plain probe sees all only if its symbol is the only site.
func (b *Binary) judgePlain(r *Result, f *function, t *tally) Judgement {
	if len(r.PlainAt) == 0 {
		return b.noPlain(r, f, t)
	}
	if t.hazard {
		return Judgement{None, []Reason{{ReasonHazard, "a breakpoint on the first instruction of " + f.name + " fails, or makes the kernel skip the instruction"}}}
	}
	j := Judgement{Verdict: Complete, Reasons: miniSymbol(&r.Notes)}
	hit := false
	for _, s := range r.Sites {
		hit = hit || s.Plain
	}
	inlined, ends, clones := 0, 0, 0
	seen := map[uint64]bool{} // entries of bodies
	for _, s := range r.Sites {
		switch {
		case s.Plain:
		case s.Kind == Inlined:
			inlined++
		case s.Kind == Exit && s.Copy != 0:
			ends++
		case s.Kind == Exit && seen[t.ends[s.Address]]: // of a body with several
		default:
			seen[t.ends[s.Address]] = s.Kind == Exit
			clones++
		}
	}
	if inlined > 0 {
		j.Reasons = append(j.Reasons, Reason{ReasonInlined, "misses " + plural(inlined, "place") + " where inlined copies begin"})
		j.Verdict = Partial
	}
	if ends > 0 {
		j.Reasons = append(j.Reasons, Reason{ReasonReturn, "misses " + plural(ends, "place") + " where inlined copies end"})
		j.Verdict = Partial
	}
	if clones > 0 {
		j.Reasons = append(j.Reasons, Reason{ReasonClone, "misses " + plural(clones, "other body") + " of the function"})
		j.Verdict = Partial
	}
	if !hit {
		j.Reasons = append(j.Reasons, Reason{ReasonNoSymbol, "the symbol is not a place where an execution begins"})
		j.Verdict = worse(j.Verdict, Partial)
	}
	if t.nested {
		j.add([]Reason{{ReasonNested, nestedWhy}})
	}
	if t.plainGrows {
		j.add([]Reason{{ReasonStack, "the entry is passed again whenever the stack has to grow: one execution may be counted twice"}})
	}
	if r.Plan.Verdict != Complete {
		j.Reasons = append(j.Reasons, r.Plan.Reasons...)
		j.Verdict = worse(j.Verdict, r.Plan.Verdict)
	}
	if j.Verdict == Complete {
		j.Reasons = append(j.Reasons, Reason{ReasonEntry, "every execution passes the symbol"})
	}
	return j
}

// noPlain judges a plain probe that cannot be attached.
func (b *Binary) noPlain(r *Result, f *function, t *tally) Judgement {
	if _, other, _ := b.plainAddress(f); other != 0 {
		return Judgement{None, []Reason{{ReasonNoSymbol, "the first symbol " + f.name + " is another function of that name, at " + hex(other) + ": the plain probe goes there"}}}
	}
	switch {
	case t.goReturn:
		return Judgement{None, []Reason{{ReasonGoReturn, goReturnWhy}}}
	case t.unsafe != "":
		return Judgement{None, []Reason{{ReasonUnsafe, t.unsafe}}}
	case t.unwinds:
		return Judgement{Unknown, []Reason{{ReasonUnsafe, "an exception or a panic that passes the function ends the program, for the unwinder does not know the return address that a uretprobe puts in"}}}
	case t.ifunc:
		return Judgement{None, []Reason{{ReasonIFunc, "the symbol is an indirect function's resolver"}}}
	case len(r.Sites) > 0 && t.clones > 0:
		return Judgement{None, []Reason{{ReasonClone, "no symbol " + f.name + ", only clones of it"}}}
	case f.renamedTo() != "":
		return Judgement{None, []Reason{{ReasonClone, "no symbol " + f.name + ": the compiler named it " + f.renamedTo()}}}
	case len(f.copies) > 0:
		return Judgement{None, []Reason{{ReasonInlined, "no symbol " + f.name + ": it is inlined everywhere"}}}
	}
	return Judgement{None, []Reason{{ReasonNoSymbol, "no symbol " + f.name}}}
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
