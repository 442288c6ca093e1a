package sites

import (
	"debug/elf"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// body is the control flow of one out-of-line function, with what the debug
// information says of its instructions.
type body struct {
	mu    sync.Mutex               // guards all that is computed on demand; held by copiesIn
	known map[*function]knownViews // see views
	owner *Binary
	die   int32
	fn    *dwarfinfo.Func
	graph *flow.Graph
	lines *dwarfinfo.LineTable // nil without one
	arch  elfbin.Arch
	// reserved is Options.Reserved.
	reserved func(addr uint64) bool
	image    flow.Image
	err      error            // why there is no graph
	gnu      bool             // the compiler is GCC
	golang   bool             // the compiler is Go's
	marks    bool             // the compiler writes inline entry rows and marks statements
	merged   map[uint64]int32 // see mergedCalls
	line     []uint32         // see lineAt
	stmt     []bool           // see statements
	inner    []int32          // see innermost
	alive    []bool           // see live
	begins   []spot           // see spots
	roots    []int32          // instructions where control comes in from outside
	doubt    []Reason         // what makes the graph incomplete
}

// maxBody bounds the code of one function: the largest seen (generated
// parsers, interpreters) are below 1 MiB.
const maxBody = 16 << 20

// errNoCode: only the body of a stored index that was damaged, of a file that
// has changed since, is without.
var errNoCode = errors.New("the debug information names no code of it")

// bodyOf builds (once) the control flow of the function of a DIE.
func (b *Binary) bodyOf(die int32) *body {
	b.mu.Lock()
	bd := b.bodies[die]
	b.mu.Unlock()
	if bd != nil {
		return bd
	}
	bd = b.newBody(die)
	b.mu.Lock()
	b.bodies[die] = bd
	if bd.graph != nil {
		b.kept += len(bd.graph.Insns)
	}
	b.mu.Unlock()
	return bd
}

func (b *Binary) newBody(die int32) *body {
	fn := b.data.Func(die)
	bd := &body{owner: b, known: map[*function]knownViews{}, die: die, fn: fn, arch: b.file.Arch(), image: b.file, reserved: b.reserved}
	if len(fn.Ranges) == 0 {
		bd.err = errNoCode
		return bd
	}
	entry := fn.Ranges[0].Low
	if fn.HasEntry {
		entry = fn.EntryPC
	}
	bd.graph, bd.err = b.build(entry, fn.Ranges, fn.Labels)
	if bd.err != nil {
		return bd
	}
	var lineErr error
	bd.lines, lineErr = b.data.Lines(fn.Unit)
	bd.marks = b.hasMarkers(fn.Unit)
	bd.golang = b.data.Unit(fn.Unit).Language == langGo
	bd.gnu = strings.HasPrefix(b.data.Unit(fn.Unit).Producer, "GNU")
	bd.findRoots()
	if lineErr != nil {
		bd.doubt = append(bd.doubt, Reason{ReasonGap, "the line table cannot be used: " + lineErr.Error()})
	}
	return bd
}

// build makes the control-flow graph of the code in ranges.
func (b *Binary) build(entry uint64, ranges []elfbin.Range, labels []uint64) (*flow.Graph, error) {
	var size uint64
	for _, r := range ranges {
		size += r.High - r.Low
	}
	if size > maxBody {
		return nil, &AddressError{b.file.Path(), entry, "function is too large to be analysed"}
	}
	return flow.Build(flow.Options{
		Arch: b.file.Arch(), Image: b.file, Entry: entry, Ranges: ranges,
		NoReturn: b.neverReturns, Pad: b.pad, Jumps: b.jumps, Labels: labels, Data: b.dataBounds(),
	})
}

// findDataBounds lists where data begins or ends: an arm64 jump table has no
// end of its own. x86-64 tables are told by their targets, which spares the
// disassembly of the whole file.
func (b *Binary) findDataBounds() []uint64 {
	if b.file.Arch() != elfbin.ARM64 {
		return nil
	}
	var out []uint64
	if taken, err := flow.AddressesTaken(b.file, b.file.Arch(), b.layout().owned); err == nil {
		out = append(out, taken.Data...)
	}
	for _, s := range b.file.Symbols() {
		if s.Defined() && s.Type == elf.STT_OBJECT {
			out = append(out, s.Value, s.Value+s.Size)
		}
	}
	for _, s := range b.file.Sections() {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Flags&elf.SHF_EXECINSTR == 0 {
			out = append(out, s.Addr, s.Addr+s.Size)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// findRoots lists where control may come into the graph: the entry, landing
// pads and taken labels, and, when an indirect jump's targets are not known,
// every instruction that nothing else leads to.
func (bd *body) findRoots() {
	g := bd.graph
	if g.Entry >= 0 {
		bd.roots = append(bd.roots, g.Entry)
	}
	bd.roots = append(bd.roots, g.Labels...)
	if len(g.Bad) > 0 {
		bd.doubt = append(bd.doubt, Reason{ReasonUndecodable, "an instruction at " + hex(g.Bad[0]) + " cannot be read"})
	}
	if len(g.Unresolved) > 0 {
		at := g.Insns[g.Unresolved[0]].Addr
		bd.doubt = append(bd.doubt, Reason{ReasonIndirect, "the targets of the indirect jump at " + hex(at) + " are not known"})
	}
	// Compilers leave no dead blocks but behind calls that never return: what
	// nothing leads to is reached by an indirect jump in a way not understood.
	for i := range g.Insns {
		if len(g.Pred(int32(i))) > 0 || int32(i) == g.Entry || g.Insns[i].Nop || g.Insns[i].Kind == flow.Trap {
			continue
		}
		if len(g.Unresolved) == 0 && bd.afterNoReturn(i) {
			continue
		}
		if bd.recovers(i) {
			bd.roots = append(bd.roots, int32(i))
			continue
		}
		bd.roots = append(bd.roots, int32(i))
		if len(bd.doubt) == 0 && !slices.Contains(g.Labels, int32(i)) {
			bd.doubt = append(bd.doubt, Reason{ReasonIndirect, "no way to the code at " + hex(g.Insns[i].Addr) + " was found"})
		}
	}
}

// afterNoReturn tells whether an instruction is dead code behind a call that
// never comes back.
func (bd *body) afterNoReturn(i int) bool {
	insns := bd.graph.Insns
	for i--; i >= 0 && insns[i].Nop; i-- {
	}
	return i >= 0 && (insns[i].NoReturn || insns[i].Kind == flow.Trap)
}

// noReturnNames are library functions that never come back (C11 7.22.4,
// POSIX, glibc's and libstdc++'s own).
var noReturnNames = map[string]bool{
	"abort": true, "exit": true, "_exit": true, "_Exit": true, "quick_exit": true,
	"longjmp": true, "_longjmp": true, "siglongjmp": true, "__longjmp_chk": true,
	"__stack_chk_fail": true, "__assert_fail": true, "__assert_perror_fail": true, "__assert": true,
	"__fortify_fail": true, "__chk_fail": true, "__libc_fatal": true, "__libc_start_main": true,
	"pthread_exit": true, "thrd_exit": true, "err": true, "errx": true, "verr": true, "verrx": true,
	"_Unwind_Resume": true, "__cxa_throw": true, "__cxa_rethrow": true, "__cxa_bad_cast": true,
	"__cxa_bad_typeid": true, "__cxa_throw_bad_array_new_length": true, "__cxa_call_unexpected": true,
	"__cxa_call_terminate": true, "__cxa_pure_virtual": true, "__clang_call_terminate": true, "_ZSt9terminatev": true,
	"_ZSt17__throw_bad_allocv": true, "_ZSt19__throw_logic_errorPKc": true,
	"_ZSt20__throw_length_errorPKc": true, "_ZSt20__throw_out_of_rangePKc": true,
	"_ZSt24__throw_out_of_range_fmtPKcz": true, "_ZSt16__throw_bad_castv": true,
	"_ZSt25__throw_bad_function_callv": true, "_ZSt28__throw_bad_array_new_lengthv": true,
	"_ZSt20__throw_system_errori": true, "_ZSt21__throw_runtime_errorPKc": true,
	"_ZSt24__throw_invalid_argumentPKc": true, "_ZSt21__glibcxx_assert_failPKciS0_S0_": true,
}
