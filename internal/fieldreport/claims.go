package fieldreport

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
)

// Effect is what a finding means for the user of a tool, the worst first.
type Effect string

// The effects.
const (
	Breaks  Effect = "breaks"       // the program is refused, or attached nowhere
	Garbage Effect = "reads wrong"  // it runs and reads something else than it means
	Misses  Effect = "misses calls" // it runs and does not see every execution
)

func (e Effect) rank() int { return slices.Index([]Effect{Breaks, Garbage, Misses}, e) }

// Claim is one thing that is wrong with a tool, on one or more kernels.
type Claim struct {
	Tool     string
	Effect   Effect
	Rule     check.Code
	Message  string
	Programs []string
	Kernels  []string
}

// Claims gathers what is certain of a file: errors. open has the kernels on which
// something may go wrong: "l" where something cannot be attached and the tool's
// loader may avert that, "?" where it cannot be told whether it can be.
func Claims(f *report.CheckedFile) (claims []Claim, open map[string]string) {
	open = map[string]string{}
	at := map[[3]string]int{}
	note := func(k check.Finding, e Effect, program string) {
		key := [3]string{string(e), string(k.Rule), k.Message}
		i, ok := at[key]
		if !ok {
			i = len(claims)
			at[key] = i
			claims = append(claims, Claim{Tool: filepath.Base(f.File.Path), Effect: e, Rule: k.Rule, Message: k.Message})
		}
		c := &claims[i]
		if !slices.Contains(c.Programs, program) {
			c.Programs = append(c.Programs, program)
		}
		if !slices.Contains(c.Kernels, k.Kernel) {
			c.Kernels = append(c.Kernels, k.Kernel)
		}
	}
	for _, p := range f.Programs {
		for _, h := range p.OnKernel {
			for i := range h.Results {
				r := &h.Results[i]
				if r.Err == nil && check.Worst(r.Findings) == check.Warning {
					switch k := r.Verdict.Kernel; {
					case r.Attaches == kernel.No:
						open[k] = "l"
					case r.Attaches == kernel.NotKnown && open[k] == "":
						open[k] = "?"
					}
				}
				for _, k := range r.Findings {
					if e := effect(k.Rule, r.Attaches); k.Severity == check.Error && e != "" {
						note(k, e, p.Program.Name)
					}
				}
			}
		}
	}
	for _, k := range f.Findings {
		if k.Severity == check.Error && k.Kernel != "" {
			note(k, effect(k.Rule, kernel.Yes), "")
		}
	}
	slices.SortStableFunc(claims, func(a, b Claim) int {
		return cmp.Or(cmp.Compare(a.Effect.rank(), b.Effect.rank()), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return claims, open
}

// effect is what a finding means, for a program that attaches or does not; ""
// if it means nothing as the program is not attached.
func effect(rule check.Code, attaches kernel.Answer) Effect {
	switch {
	case rule == check.SH131, rule == check.SH132, rule == check.SH117, rule == check.SH118, rule == check.SH119, rule == check.SH203:
		if attaches != kernel.No {
			return Garbage
		}
	case attaches == kernel.No && (rule == check.SH401 || rule == check.SH410):
		return ""
	case rule[2] == '4' || rule[2] == '5':
		if attaches != kernel.No {
			return Misses
		}
	}
	return Breaks
}
