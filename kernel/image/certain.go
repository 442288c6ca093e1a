package image

import (
	"encoding/binary"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/kernel"
)

// call is a direct call or jump between symbols.
type call struct {
	at             uint64
	caller, callee string
}

// body is a function's code with what it calls.
type body struct {
	name  string
	entry uint64
	code  []elfbin.Range // with its cold part
	leads []uint64       // where its calls and jumps go
	calls []call
	made  map[string]kernel.Made // callees that are not called under a condition
	// depends are the functions that it does not come back without; stays: it
	// does not if none of them does.
	stays   bool
	depends []uint64
}

// ways tells which calls of a kernel are made each time.
type ways struct {
	s       *source
	patches *patches
	warn    map[uint64]bool // what __bug_table knows: whether control goes on
	never   map[uint64]bool // functions that do not come back
	points  map[string][]label
}

// certain gives those calls again that are made each time, and what calls the
// probes of tracepoints that are passed each time.
func (b *builder) certain(s *source, code []elfbin.Range, edges []flow.CallEdge, made []call) []kernel.Call {
	w := &ways{s: s, patches: b.patches(), never: map[uint64]bool{}}
	if w.patches.missing != "" {
		b.missing(kernel.CertainCalls, "the file does not tell which of its code is patched: no "+w.patches.missing)
		return nil
	}
	w.warn = s.warnings(b.layouts)
	w.points = w.tracepoints(b.layouts)
	list := s.functions(code, edges, made)
	for again := list; len(again) > 0; {
		w.judgeAll(again)
		fresh := w.settle(list)
		again = slices.DeleteFunc(slices.Clone(list), func(f *body) bool {
			return !slices.ContainsFunc(f.leads, func(addr uint64) bool { return fresh[addr] })
		})
	}
	var out []kernel.Call
	for _, f := range list {
		if w.never[f.entry] {
			continue
		}
		for callee, made := range f.made {
			out = append(out, kernel.Call{Caller: f.name, Callee: callee, Made: made})
		}
	}
	return out
}

// judgeAll looks at functions, which takes a second or two on one processor.
func (w *ways) judgeAll(list []*body) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		wait.Go(func() {
			for i := next.Add(1); int(i) <= len(list); i = next.Add(1) {
				w.judge(list[i-1])
			}
		})
	}
	wait.Wait()
}

// settle adds the functions that do not come back because those do not that
// they depend on, and gives what is new.
func (w *ways) settle(list []*body) map[uint64]bool {
	list = slices.DeleteFunc(slices.Clone(list), func(f *body) bool { return !f.stays || w.never[f.entry] })
	fresh := map[uint64]bool{}
	for more := true; more; {
		more = false
		for _, f := range list {
			if !w.never[f.entry] && !slices.ContainsFunc(f.depends, func(addr uint64) bool { return !w.never[addr] }) {
				w.never[f.entry], fresh[f.entry], more = true, true, true
			}
		}
	}
	return fresh
}

// judge looks at one function.
func (w *ways) judge(f *body) {
	v, err := flow.NewWays(flow.WayOptions{
		Options: flow.Options{
			Arch: w.s.arch, Image: w.s.mem, Entry: f.entry, Ranges: f.code, Jumps: w.patches.jumps,
			NoReturn: func(addr uint64) bool { return w.never[addr] },
		},
		Resumes:  w.resumes,
		Replaced: w.patches.replaces,
		Thunk:    w.thunks,
	})
	if err != nil {
		return // it was read before: it is too large for this
	}
	yes, on := v.Returns()
	f.stays, f.depends = !yes && !thunk(f.name), on
	f.made = map[string]kernel.Made{}
	for callee, at := range f.byCallee() {
		if point, ok := strings.CutPrefix(callee, iter); ok {
			at = append(w.passed(v, point, at), at...)
		}
		switch {
		case v.Certain(at):
			f.made[callee] = kernel.Always
		case v.Succeeds(at):
			f.made[callee] = kernel.UnlessFails
		}
	}
}

// byCallee gives the calls of each callee. Static calls are those of what calls
// a tracepoint's probes; what others lead to is set while the kernel runs.
func (f *body) byCallee() map[string][]uint64 {
	out := map[string][]uint64{}
	for _, c := range f.calls {
		callee := c.callee
		if point, ok := strings.CutPrefix(callee, staticCall+probes); ok {
			callee = iter + point
		}
		if !strings.HasPrefix(callee, staticCall) {
			out[callee] = append(out[callee], c.at)
		}
	}
	return out
}

// thunks tells whether a symbol that stands for a return is at an address.
func (w *ways) thunks(addr uint64) bool {
	y, ok := w.s.at(addr)
	return ok && y.name == returnThunk
}

// thunk tells whether a symbol stands for a return or an indirect jump, which
// the kernel rewrites when it starts.
func thunk(name string) bool { return plumbing(name) && name != "__stack_chk_fail" }

// Symbols of static calls, and what they call of a tracepoint.
const (
	staticCall = "__SCT__"
	probes     = "tp_func_"
)

// resumes tells whether control goes on behind a trap.
func (w *ways) resumes(addr uint64) bool {
	warns, known := w.warn[addr]
	return warns || !known
}

// passed gives the jump labels before calls of a tracepoint's probes, which are
// made when the label jumps. Two decisions may stand between them: whether the
// processor is online, and whether there is a probe; one more is a condition of
// the tracepoint's own.
func (w *ways) passed(v *flow.Ways, point string, calls []uint64) []uint64 {
	const decisions = 2
	var out []uint64
	for _, l := range w.points[point] {
		i := slices.IndexFunc(calls, func(at uint64) bool { return at >= l.to })
		if l.jumps && i >= 0 && v.Decisions(l.to, calls[i]) <= decisions {
			out = append(out, l.at)
		}
	}
	return out
}

// tracepoints gives the jump labels of each tracepoint.
func (w *ways) tracepoints(l layouts) map[string][]label {
	off, ok := l.offset("tracepoint", "key")
	if !ok {
		return nil
	}
	names, out := rawNames(w.s), map[string][]label{}
	for _, y := range w.patches.labels {
		if name, ok := names[y.key-off]; ok {
			out[name] = append(out[name], y)
		}
	}
	return out
}

// warnings reads the struct bug_entry of all traps: whether they are of
// warnings, behind which control goes on.
func (s *source) warnings(l layouts) map[uint64]bool {
	const warning = 1 // BUGFLAG_WARNING
	out := map[uint64]bool{}
	low, high, ok := s.bounds("__start___bug_table", "__stop___bug_table")
	size := l.size("bug_entry")
	addr, relative := l.offset("bug_entry", "bug_addr_disp")
	flags, known := l.offset("bug_entry", "flags")
	if !ok || size < 8 || !relative || !known || high-low > maxTable {
		return out
	}
	for at := low; at+size <= high; at += size {
		from, b := s.prel32(at+addr, at+addr+4), s.mem.Bytes(at+flags, 2)
		if len(from) == 1 && len(b) == 2 {
			out[from[0]] = out[from[0]] || binary.LittleEndian.Uint16(b)&warning != 0
		}
	}
	return out
}

// functions puts code, the direct jumps in it and the calls made together by
// function. Functions whose name others have as well are left out, and so are
// calls of such.
func (s *source) functions(code []elfbin.Range, edges []flow.CallEdge, made []call) []*body {
	homes := map[string]int{}
	for _, y := range s.symbols {
		if y.code {
			homes[y.name]++
		}
	}
	var list, parts []*body
	for _, r := range code {
		y, _ := s.at(r.Low)
		f := &body{name: whole(y.name), entry: r.Low, code: []elfbin.Range{r}}
		for ; len(edges) > 0 && r.Contains(edges[0].From); edges = edges[1:] {
			f.leads = append(f.leads, edges[0].To)
		}
		for ; len(made) > 0 && r.Contains(made[0].at); made = made[1:] {
			if made[0].caller == f.name && homes[made[0].callee] <= 1 {
				f.calls = append(f.calls, made[0])
			}
		}
		switch {
		case f.name != y.name:
			parts = append(parts, f)
		case homes[y.name] == 1:
			list = append(list, f)
		}
	}
	for _, f := range list {
		f.join(parts)
	}
	return list
}

// join adds the cold parts that a function jumps to.
func (f *body) join(parts []*body) {
	for _, addr := range f.leads {
		i := sort.Search(len(parts), func(i int) bool { return parts[i].code[0].High > addr })
		if i == len(parts) || parts[i].name != f.name || !parts[i].code[0].Contains(addr) || slices.Contains(f.code, parts[i].code[0]) {
			continue
		}
		f.code = append(f.code, parts[i].code[0])
		f.leads = append(f.leads, parts[i].leads...)
		f.calls = append(f.calls, parts[i].calls...)
	}
}
