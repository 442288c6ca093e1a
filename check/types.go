package check

import (
	"fmt"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Severity is how bad a finding is.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"   // executions are lost, or wrong ones are counted, for certain
	Warning Severity = "warning" // may be, or it cannot be told
	Info    Severity = "info"    // the numbers are right, but mean more than they seem to
	Never   Severity = "none"    // for --fail-on: no finding is bad enough
)

// rank orders severities; 0 is not a severity.
func (s Severity) rank() int {
	switch s {
	case Info:
		return 1
	case Warning:
		return 2
	case Error:
		return 3
	case Never:
		return 4
	}
	return 0
}

// AtLeast tells whether s is as bad as limit or worse.
func (s Severity) AtLeast(limit Severity) bool { return s.rank() >= limit.rank() }

// ParseSeverity reads the value of --fail-on.
func ParseSeverity(text string) (Severity, error) {
	if s := Severity(text); s.rank() > 0 {
		return s, nil
	}
	return "", fmt.Errorf("unknown severity %q; write error, warning, info or none", text)
}

// Code is the stable name of a rule. The hundreds digit is the gotcha.
type Code string

// Finding is one fact about a hook that its author should know.
type Finding struct {
	Rule     Code
	Severity Severity
	Hook     hook.Hook
	Function string   // the function it is about; "" if it is about the hook
	Kernel   string   // the kernel it holds for; "" for user-space hooks
	Message  string   // one sentence: what is lost
	Evidence []string // facts, one a line, most telling first
	Remedy   string   // what to do; commands work as pasted, one a line
	Origin   Origin
	// Accepted is why somebody accepts the finding as it is; "" if nobody
	// does. Accepted findings are shown and fail nothing.
	Accepted string
}

// Origin is where a hook was found; empty if the user gave it.
type Origin struct {
	File    string
	Program string // of the file
	Where   string // in the file, as bpfobj.Program.Where
	Line    int    // of a text, from 1; else 0
	Column  int    // in characters from 1; 0 if not known
}

// Verdict is the answer for one hook.
type Verdict struct {
	Hook      hook.Hook
	Kernel    string
	Plain     sites.Verdict // of the probe that bpftrace or libbpf would attach
	Plan      sites.Verdict // of surehook's plan
	Functions int           // how many functions the hook matches
	Origin    Origin
}

// Input is what the rules may know besides the results.
type Input struct {
	// BuildID is the build (hex) that the hook's offset was computed for;
	// empty: not said.
	BuildID string
	// Providers gives the files that define a function which the target
	// only imports. May be nil.
	Providers func(function string) []string
	// Lookup gives all symbols of the target with a name, versions and all.
	// May be nil: then only the symbols in the results are known.
	Lookup func(name string) []elfbin.Symbol
}

// symbols are all symbols with the name.
func (c context) symbols(name string) []elfbin.Symbol {
	if c.in.Lookup != nil {
		return c.in.Lookup(name)
	}
	var out []elfbin.Symbol
	for _, s := range c.Notes.Symbols {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// ambiguous tells whether a symbol name has several addresses: bpftrace,
// which resolves even addresses through names, may then take another one.
func (c context) ambiguous(name string) bool {
	var code []elfbin.Symbol
	for _, s := range c.symbols(name) {
		if s.Func() || s.IFunc() {
			code = append(code, s)
		}
	}
	return len(distinctValues(code)) > 1
}

// context is what a rule sees: one function of one hook.
type context struct {
	*sites.Result
	in Input
}
