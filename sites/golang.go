package sites

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// langGo is DW_LANG_Go (DWARF5 §7.12).
const langGo = 0x16

// moreStack begins the names of the runtime functions that a Go function
// calls to grow its stack; they go on at the function's entry. Linkers append
// "_noctxt", ".abi0" and, far away on arm64, "-tramp0".
const moreStack = "runtime.morestack"

// maxStackCheck bounds the instructions of a stack check, and of the block
// that saves the arguments before it calls runtime.morestack: the longest
// (large frames; 16 integer and 15 vector registers) have less than 40.
const maxStackCheck = 64

// goCode tells whether Go's compiler or assembler made the code of a body.
func (b *Binary) goCode(ref *bodyRef) bool {
	if ref.die >= 0 {
		return b.data.Unit(b.data.Func(ref.die).Unit).Language == langGo
	}
	return b.goText(ref.entry)
}

// goFunction tells whether the debug information describes a function of Go.
func (b *Binary) goFunction(f *function) bool {
	return len(f.roots) > 0 && b.data != nil && b.data.Unit(b.data.Func(f.roots[0]).Unit).Language == langGo
}

// goRange is what Go's linker laid out between its symbols runtime.text and
// runtime.etext.
func goRange(f *elfbin.File) elfbin.Range {
	low, high := f.Lookup("runtime.text"), f.Lookup("runtime.etext")
	if len(low) == 0 || len(high) == 0 {
		return elfbin.Range{}
	}
	return elfbin.Range{Low: low[0].Value, High: high[0].Value}
}

// goText tells whether a virtual address lies in the code of Go's linker.
func (b *Binary) goText(addr uint64) bool { return b.golang.Contains(addr) }

// goEntry finds where executions of a Go function are counted. A function
// whose stack is too small calls runtime.morestack, which begins it once more
// at its entry: only behind the check that passes an execution begins. pass is
// the edge from the check's last branch to the function proper; ok is false
// for functions without a check, whose entry is passed once.
func (b *Binary) goEntry(g *flow.Graph) (pass entryEdge, ok bool) {
	i := g.Entry
	for n := 0; i >= 0 && n < maxStackCheck; n++ {
		switch g.Insns[i].Kind {
		case flow.CondJump:
			next, grows := b.passes(g, i)
			if !grows {
				return pass, ok
			}
			pass, ok, i = entryEdge{i, next}, true, next
		case flow.Plain:
			next, alone := after(g, i)
			if !alone {
				return pass, ok
			}
			i = next
		default:
			return pass, ok
		}
	}
	return pass, ok
}

// passes tells whether one arm of a branch leads to runtime.morestack, and
// gives the other.
func (b *Binary) passes(g *flow.Graph, branch int32) (other int32, grows bool) {
	arms := g.Succ(branch)
	if len(arms) != 2 {
		return 0, false
	}
	for k, arm := range arms {
		if b.growsStack(g, arm.To) {
			return arms[1-k].To, true
		}
	}
	return 0, false
}

// growsStack tells whether the code at an instruction does nothing but call
// runtime.morestack.
func (b *Binary) growsStack(g *flow.Graph, i int32) bool {
	for n := 0; n < maxStackCheck; n++ {
		switch g.Insns[i].Kind {
		case flow.Call:
			return strings.HasPrefix(b.nameOf(g.Insns[i].Target), moreStack)
		case flow.Plain, flow.Jump:
		default:
			return false
		}
		next, ok := after(g, i)
		if !ok {
			return false
		}
		i = next
	}
	return false
}

// after gives the one instruction that follows i, if it is one.
func after(g *flow.Graph, i int32) (int32, bool) {
	succ := g.Succ(i)
	if len(succ) != 1 || succ[0].Kind == flow.Table {
		return 0, false
	}
	return succ[0].To, true
}

// nameOf is the name of the function that begins at a virtual address, or that
// a PLT stub there calls.
func (b *Binary) nameOf(addr uint64) string {
	if name, ok := b.pltName(addr); ok {
		return name
	}
	if s, ok := b.file.SymbolAt(addr); ok && s.Value == addr {
		return s.Name
	}
	if f := b.index.at(addr); f != nil {
		return f.name
	}
	return ""
}

// switchesStack tells whether a function of Go's runtime leaves its caller on
// another stack: its code does not come back, the scheduler does.
func switchesStack(name string) bool {
	return name == "runtime.mcall" || strings.HasPrefix(name, moreStack)
}

// recovers tells whether an instruction begins the code to which Go's runtime
// returns when a deferred function has recovered from a panic: it runs the
// other deferred functions and leaves.
func (bd *body) recovers(i int) bool {
	in := &bd.graph.Insns[i]
	return in.Kind == flow.Call && bd.owner.goText(in.Addr) && bd.owner.nameOf(in.Target) == "runtime.deferreturn"
}

// addGoBody adds the site of a Go function's body.
func (b *Binary) addGoBody(r *Result, t *tally, ref *bodyRef) {
	bd := b.goBody(ref)
	at, cond := ref.entry, flow.Cond{}
	switch {
	case bd.err != nil:
		t.doubt(ReasonUndecodable, "whether the function checks its stack first cannot be told: "+bd.err.Error())
	case bd.graph.Entry < 0:
		t.doubt(ReasonUndecodable, "the entry of the function is not in its code")
	default:
		at, cond = b.goPlace(t, bd)
	}
	s, ok := b.siteAt(at, Entry, cond)
	if !ok {
		t.doubt(ReasonUndecodable, "the body at "+hex(ref.entry)+" lies outside the file's code segments")
		return
	}
	if at != ref.entry {
		t.stackChecks = append(t.stackChecks, stackCheck{entry: ref.entry, site: at})
	}
	r.Sites = append(r.Sites, s)
	t.noDebug = t.noDebug || ref.die < 0
}

// stackCheck is a body that checks its stack: hits of entry are no count of
// executions, those of site are.
type stackCheck struct{ entry, site uint64 }

// goPlace gives where a Go body is counted.
func (b *Binary) goPlace(t *tally, bd *body) (at uint64, cond flow.Cond) {
	g := bd.graph
	entry := g.Insns[g.Entry].Addr
	pass, checks := b.goEntry(g)
	if !checks {
		bd.doubtEntry(t)
		if i, ok := bd.forward(g.Entry); ok {
			return g.Insns[i].Addr, flow.Cond{}
		}
		t.doubt(ReasonHazard, "a breakpoint on the first instruction fails or breaks the program, and no other is executed as often")
		return entry, flow.Cond{}
	}
	points, _ := bd.place([]entryEdge{pass})
	if len(points) == 0 {
		t.doubt(ReasonStack, "no instruction behind the stack check is executed once each time")
		return entry, flow.Cond{}
	}
	return g.Insns[points[0].insn].Addr, points[0].cond
}

// goBody is the control flow of a Go function; without debug information of
// the code that its symbol spans.
func (b *Binary) goBody(ref *bodyRef) *body {
	if ref.die >= 0 {
		return b.bodyOf(ref.die)
	}
	bd := &body{owner: b, die: -1, arch: b.file.Arch(), image: b.file}
	if ref.sym.Size == 0 || ref.sym.Size > maxBody {
		bd.err = fmt.Errorf("the size of %s is not known", ref.sym.Name)
		return bd
	}
	bd.graph, bd.err = b.build(ref.entry, []elfbin.Range{{Low: ref.entry, High: ref.entry + ref.sym.Size}}, nil)
	if bd.err == nil {
		bd.findRoots()
	}
	return bd
}

// markStackChecks says of sites behind a stack check that the plain probe, on
// the entry, sees what begins there: once, or more often.
func (b *Binary) markStackChecks(r *Result, t *tally) {
	for _, c := range t.stackChecks {
		off, ok := b.file.FileOffset(c.entry)
		if !ok || len(r.PlainAt) == 0 || r.PlainAt[0] != off {
			continue
		}
		t.plainGrows = true
		for i := range r.Sites {
			if s := &r.Sites[i]; s.Kind == Entry && s.Address == c.site {
				s.Plain = true
			}
		}
	}
}

// goReturnWhy says why there is no uretprobe on Go code. The kernel replaces the
// return address on the stack by a trampoline; when the goroutine's stack moves or
// is scanned, the runtime does not know that address and the program dies
// (golang/go#22008).
const goReturnWhy = "a uretprobe crashes a Go program when its stack moves"
