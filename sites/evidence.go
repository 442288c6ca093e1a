package sites

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// CodeEvidence is what the machine code says of who calls a function. It is
// evidence, no proof: who calls an inlined copy leaves no call.
type CodeEvidence struct {
	Callers []CodeCaller // by address; not the function itself
	Calls   int          // direct calls by them
	Tails   int          // jumps to its entry from other functions: tail calls
	Self    int          // calls and jumps from its own code: recursion
	Stubs   int          // of Calls and Tails: through the file's own PLT, so another file may take them

	Exported      bool   // in .dynsym: other files may call it
	AddressInCode bool   // instructions make its address
	AddressInData bool   // data holds its address
	Indirect      int    // calls and jumps through pointers in the whole file
	Unread        uint64 // bytes of the file's code that could not be disassembled
	Loose         int    // of code that no symbol and no .eh_frame describes: what reads as calls of it
	Source        string // name of the source file that a local symbol was compiled from (STT_FILE), "" if not known

	// NoCaller says how sure it is that nothing calls the function any more:
	// that it was inlined everywhere, or is unused. NoConfidence if callers are left.
	NoCaller Confidence
	Lowered  []string // what lowers that confidence
}

// CodeCaller is a function with direct calls.
type CodeCaller struct {
	Function string // symbol; "" if the file has none there
	Address  uint64 // virtual address where the function, or a part of it, begins
	Calls    int
	Tails    int
}

// Confidence is how sure a conclusion is that is no proof.
type Confidence string

// The confidences.
const (
	NoConfidence Confidence = ""
	Low          Confidence = "low"    // a way is known by which it may be called without a direct call
	Medium       Confidence = "medium" // not all code could be read
	High         Confidence = "high"   // all code and all data was read
)

// evidence reads who calls a function.
func (b *Binary) evidence(f *function) (*CodeEvidence, error) {
	c := b.calls()
	if c.err != nil {
		return nil, c.err
	}
	e := &CodeEvidence{Indirect: c.indirect, Unread: c.unread}
	own := b.ownCode(f)
	by := map[uint64]*CodeCaller{}
	stubs := map[string]bool{}
	for _, r := range f.bodies {
		_, code := c.code[r.entry]
		_, data := c.data[r.entry]
		e.AddressInCode = e.AddressInCode || code
		e.AddressInData = e.AddressInData || data
		e.Loose += c.loose[r.entry]
		e.Source = cmp.Or(e.Source, c.source[r.entry])
		b.addCallers(e, by, own, c.of[r.entry])
		for _, s := range b.file.FuncsAt(r.entry) {
			if s.Table != elfbin.Dynsym || s.Bind == elf.STB_LOCAL || stubs[s.Name] {
				continue
			}
			e.Exported, stubs[s.Name] = true, true
			for _, stub := range c.stubs[s.Name] {
				e.Stubs += b.addCallers(e, by, own, c.of[stub])
				e.Loose += c.loose[stub]
			}
		}
	}
	for _, caller := range by {
		e.Callers = append(e.Callers, *caller)
	}
	slices.SortFunc(e.Callers, func(a, b CodeCaller) int { return cmp.Compare(a.Address, b.Address) })
	e.judge(b.layout().err)
	return e, nil
}

// ownCode lists the code of f with its unlikely parts: calls from there are
// recursion.
func (b *Binary) ownCode(f *function) []elfbin.Range {
	own := b.codeOf(f)
	for _, s := range f.colds {
		own = append(own, elfbin.Range{Low: s.Value, High: s.Value + s.Size})
	}
	for _, r := range f.bodies {
		if fde, ok := b.layout().fde(r.entry); ok {
			own = append(own, fde)
		}
	}
	return own
}

// addCallers adds edges to a function and says how many are of callers.
func (b *Binary) addCallers(e *CodeEvidence, by map[uint64]*CodeCaller, own []elfbin.Range, edges []flow.CallEdge) (n int) {
	for _, edge := range edges {
		if inRanges(own, edge.From) {
			e.Self++
			continue
		}
		n++
		name, at := b.functionAt(edge.From)
		caller := by[at]
		if caller == nil {
			caller = &CodeCaller{Function: name, Address: at}
			by[at] = caller
		}
		if edge.Tail {
			caller.Tails++
			e.Tails++
		} else {
			caller.Calls++
			e.Calls++
		}
	}
	return n
}

// functionAt names the function that holds an address, and says where it begins.
func (b *Binary) functionAt(addr uint64) (name string, at uint64) {
	if s, ok := b.file.SymbolAt(addr); ok {
		return s.Name, s.Value
	}
	if r, ok := b.layout().fde(addr); ok {
		return "", r.Low
	}
	return "", addr
}

// judge says how sure it is that nothing calls the function any more.
func (e *CodeEvidence) judge(unwind error) {
	if e.Calls+e.Tails > 0 {
		return
	}
	e.NoCaller = High
	lower := func(to Confidence, yes bool, format string, args ...any) {
		if !yes {
			return
		}
		e.Lowered = append(e.Lowered, fmt.Sprintf(format, args...))
		if e.NoCaller == High || to == Low {
			e.NoCaller = to
		}
	}
	lower(Low, e.Exported, "it is exported: callers may be in other files")
	lower(Low, e.AddressInCode, "instructions make its address, for one of %s or for another file", plural(e.Indirect, "indirect call"))
	lower(Low, e.AddressInData, "data holds its address, for one of %s or for another file", plural(e.Indirect, "indirect call"))
	lower(Low, e.Loose > 0, "code that nothing describes, or data among it, reads as %s of it", plural(e.Loose, "call"))
	lower(Medium, e.Unread > 0, "%s of code could not be disassembled", plural(int(e.Unread), "byte"))
	if unwind != nil {
		lower(Medium, true, "where functions begin is not known from .eh_frame: %v", unwind)
	}
}

// String is the evidence in a sentence.
func (e *CodeEvidence) String() string {
	switch {
	case e.NoCaller == NoConfidence:
		return e.called()
	case e.NoCaller == Low:
		return "no direct call is left in the file, but " + strings.Join(e.Lowered, "; ") + " (confidence that it was inlined everywhere: low)"
	}
	text := "the symbol has no caller left in this file: probably inlined everywhere, or unused (confidence " + string(e.NoCaller)
	if len(e.Lowered) > 0 {
		text += ": " + strings.Join(e.Lowered, "; ")
	}
	return text + ")"
}

// called says who calls the function, those with the most calls first.
func (e *CodeEvidence) called() string {
	const shown = 3
	most := slices.Clone(e.Callers)
	slices.SortStableFunc(most, func(a, b CodeCaller) int { return cmp.Compare(b.Calls+b.Tails, a.Calls+a.Tails) })
	var names []string
	for _, c := range most[:min(shown, len(most))] {
		names = append(names, cmp.Or(c.Function, hex(c.Address)))
	}
	text := plural(e.Calls+e.Tails, "direct call") + " of the symbol left in the file, from " + strings.Join(names, ", ")
	if more := len(most) - len(names); more > 0 {
		text += " and " + plural(more, "other function")
	}
	return text
}
