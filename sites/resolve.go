package sites

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
)

// Resolve gives the sites and verdicts of every function of the file that the
// hook means: one Result a function, by name. A plain name that a glob
// character happens to be part of is looked for first.
//
// Errors: *NotFoundError when nothing matches, *AddressError when the offset
// or address lies in no code, *elfbin.FormatError when the file's symbols
// cannot be read any more.
func (b *Binary) Resolve(h hook.Hook) ([]Result, error) {
	out, err := b.resolve(h)
	// After an index from the cache the symbols may have been read only now.
	if unread := b.file.SymbolsErr(); unread != nil {
		return nil, unread
	}
	return out, err
}

func (b *Binary) resolve(h hook.Hook) ([]Result, error) {
	if h.HasAddress {
		r, err := b.resolveAddress(h)
		if err != nil {
			return nil, err
		}
		return []Result{r}, nil
	}
	if r, ok := b.resolveClone(h); ok {
		return []Result{r}, nil
	}
	matched := b.index.match(h.Function, false)
	if len(matched) == 0 && h.Glob() {
		matched = b.index.match(h.Function, true)
	}
	if len(matched) == 0 {
		if r, ok := b.resolveUndefined(h); ok {
			return []Result{r}, nil
		}
		if r, ok := b.resolveGhost(h); ok {
			return []Result{r}, nil
		}
		return nil, &NotFoundError{
			Path: b.file.Path(), Function: h.Function,
			Near: b.index.near(h.Function), NoDebug: b.data == nil, Refused: b.refusals(), Nameless: b.nameless(), Unread: b.unread(),
		}
	}
	if h.HasOffset {
		return b.resolveOffsets(h, matched)
	}
	return b.resolveAll(h, matched), nil
}

func (b *Binary) resolveOffsets(h hook.Hook, matched []*function) ([]Result, error) {
	var out []Result
	for _, f := range matched {
		r, err := b.resolveOffset(h, f)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// resolveAll resolves functions on all processors; the order stays.
func (b *Binary) resolveAll(h hook.Hook, matched []*function) []Result {
	out := make([]Result, len(matched))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(matched)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(matched); i = int(next.Add(1)) - 1 {
				out[i] = b.resolveFunction(h, matched[i])
			}
		})
	}
	wg.Wait()
	return out
}

// newResult is a result with all that does not depend on the sites.
func (b *Binary) newResult(h hook.Hook, f *function) Result {
	r := Result{
		Hook: h, Function: f.name, DeclFile: f.declFile, DeclLine: f.declLine, Target: b.target(),
	}
	if f.linkage != f.name {
		r.Linkage = f.linkage
	}
	r.Notes = b.notes(f)
	return r
}

// resolveFunction finds every place where an execution of f begins, or returns.
func (b *Binary) resolveFunction(h hook.Hook, f *function) Result {
	r := b.newResult(h, f)
	t := &tally{marked: map[siteID]int{}}
	if h.Kind == hook.Uretprobe {
		b.addReturns(&r, t, f)
	} else {
		b.addBeginnings(&r, t, f)
	}
	if len(r.Notes.Folded) > 0 {
		t.doubt(ReasonFolded, "the body is that of "+strings.Join(r.Notes.Folded, ", ")+" as well: their executions are counted too")
	}
	r.Sites = uniqueSites(r.Sites, t)
	if t.unsafe == "" && !t.unwinds && !t.goReturn {
		b.plain(&r, f)
		b.markStackChecks(&r, t)
		b.markEnds(&r, t)
	}
	b.judge(&r, f, t)
	return r
}

// addBeginnings adds every place where an execution of f begins.
func (b *Binary) addBeginnings(r *Result, t *tally, f *function) {
	for i := range f.bodies {
		if !b.delegates(f, &f.bodies[i]) {
			b.addBody(r, t, f, &f.bodies[i])
		}
	}
	found := b.copySites(f)
	for i := range found {
		b.addCopy(r, t, &found[i])
	}
	b.doubtSiblings(t, f, found)
	b.addFoldedHeads(r, t, f)
	b.doubtFoldedJump(t, f)
	if b.goFunction(f) {
		b.doubtWrappers(t, f)
	}
}

// addBody adds the entry of an out-of-line body.
func (b *Binary) addBody(r *Result, t *tally, f *function, ref *bodyRef) {
	if ref.part || ref.wrapper {
		return // of calls that are counted where they begin (rule 4)
	}
	if ref.named && ref.sym.IFunc() {
		t.ifunc = true
		b.addCandidates(r, t, ref)
		return
	}
	if b.goCode(ref) {
		b.addGoBody(r, t, ref)
		return
	}
	entry := b.safeEntry(t, ref)
	kind := Entry
	if ref.clone {
		kind = Clone
		t.clones++
	}
	s, ok := b.siteAt(entry, kind, flow.Cond{})
	if !ok {
		t.doubt(ReasonUndecodable, "the body at "+hex(ref.entry)+" lies outside the file's code segments")
		return
	}
	r.Sites = append(r.Sites, s)
	if ref.die < 0 {
		t.noDebug = t.noDebug || b.data == nil || !b.foldedBody(f, ref.entry)
		return
	}
	bd := b.bodyOf(ref.die)
	if bd.err != nil {
		t.doubt(ReasonUndecodable, "whether code of the body jumps back to its entry cannot be told: "+bd.err.Error())
		return
	}
	bd.doubtEntry(t)
}

// safeEntry gives where a body is probed: its first instruction or, where a
// breakpoint there fails or harms, the next that is executed as often.
func (b *Binary) safeEntry(t *tally, ref *bodyRef) uint64 {
	if b.reserved != nil {
		return ref.entry // where ftrace stands too, a kprobe can
	}
	if ref.die < 0 {
		if code := b.file.Bytes(ref.entry, maxInsn); b.file.Arch() == elfbin.AMD64 && (flow.Misread(code) || flow.Locked(code)) {
			t.hazard = true
			t.doubt(ReasonHazard, "a breakpoint on the first instruction fails or breaks the program")
		}
		return ref.entry
	}
	bd := b.bodyOf(ref.die)
	if bd.err != nil || bd.graph.Entry < 0 || bd.graph.Insns[bd.graph.Entry].Addr != ref.entry {
		return ref.entry
	}
	if !bd.hazard(bd.graph.Entry) {
		if b.skipLanding {
			return bd.behindLanding(bd.graph.Entry)
		}
		return ref.entry
	}
	t.hazard = true
	if i, ok := bd.forward(bd.graph.Entry); ok {
		return bd.graph.Insns[i].Addr
	}
	t.doubt(ReasonHazard, "a breakpoint on the first instruction fails or breaks the program, and no other is executed as often")
	return ref.entry
}

// maxInsn is the longest x86 instruction in bytes.
const maxInsn = 15

// addCopy adds the sites of one inlined copy.
func (b *Binary) addCopy(r *Result, t *tally, c *copyResult) {
	r.Notes.Copies++
	if c.empty {
		r.Notes.Empty++
	}
	frames := b.frames(c.copy)
	for _, d := range c.doubts {
		t.doubt(d.Code, d.Text+where(frames))
	}
	if c.why != "" {
		r.PlanLost = append(r.PlanLost, lostAt(frames, c.why))
	}
	for _, p := range c.points {
		s, ok := b.siteAt(p.addr, Inlined, p.cond)
		if !ok {
			t.doubt(ReasonUndecodable, "the inlined copy at "+hex(p.addr)+" lies outside the file's code segments")
			continue
		}
		s.Callers, s.Copy = frames, b.data.Copy(c.copy).Offset
		if c.marked {
			t.marked[s.id()]++
		}
		r.Sites = append(r.Sites, s)
	}
}

// frames is the chain of callers of a copy, innermost first.
func (b *Binary) frames(c int32) []Frame {
	var out []Frame
	for c >= 0 {
		cp := b.data.Copy(c)
		fr := Frame{File: cp.CallFile, Line: cp.CallLine}
		if cp.Parent >= 0 {
			fr.Function = b.rootName(b.data.Copy(cp.Parent).Origin)
		} else {
			fr.Function = b.rootName(b.data.Func(cp.Func).Root)
		}
		out = append(out, fr)
		c = cp.Parent
	}
	return out
}

func (b *Binary) rootName(root int32) string {
	if root < 0 {
		return "?"
	}
	if f := b.index.ofRoot(root); f != nil {
		return f.name
	}
	return b.data.Func(root).Name
}

// siteID is what a hit is counted by.
type siteID struct {
	addr uint64
	cond flow.Cond
	ret  bool
}

func (s *Site) id() siteID { return siteID{s.Address, s.Cond, s.Return} }

// uniqueSites makes one of sites that say the same thing: two copies counted at
// one place under one condition are one hit. It stands for both where the line
// table marks both.
func uniqueSites(in []Site, t *tally) []Site {
	seen := map[siteID]int{}
	out := in[:0]
	for _, s := range in {
		k := s.id()
		if i, again := seen[k]; again {
			if out[i].Times < t.marked[k] {
				out[i].Times++
				continue
			}
			t.doubt(ReasonMerged, "two copies "+s.Kind.verb()+" at "+hex(s.Address)+": one hit may stand for two calls")
			continue
		}
		seen[k] = len(out)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, c Site) int { return cmp.Compare(a.Address, c.Address) })
	return out
}

func lostAt(frames []Frame, why string) Lost {
	if len(frames) == 0 {
		return Lost{Why: why}
	}
	return Lost{Caller: frames[0].Function, File: frames[0].File, Line: frames[0].Line, Why: why}
}

func where(frames []Frame) string {
	if len(frames) == 0 {
		return ""
	}
	s := " (inlined in " + frames[0].Function
	if frames[0].File != "" {
		s += ", " + frames[0].File + ":" + strconv.Itoa(frames[0].Line)
	}
	return s + ")"
}

func hex(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
