package check

import (
	"fmt"
	"path"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// maxEvidence bounds how many callers a finding lists; surehook sites lists
// them all.
const maxEvidence = 12

// missedCopies are the inlined copies that the plain probe does not hit.
func (c context) missedCopies() []sites.Site {
	var missed []sites.Site
	for _, s := range c.Sites {
		if s.Kind == sites.Inlined && !s.Plain {
			missed = append(missed, s)
		}
	}
	return missed
}

func copyEvidence(copies []sites.Site) []string {
	var lines []string
	for i, s := range copies {
		if i == maxEvidence {
			return append(lines, fmt.Sprintf("and %d more", len(copies)-i))
		}
		lines = append(lines, fmt.Sprintf("in %s: copy begins at %#x (%s)", caller(s), s.Address, where(s)))
	}
	return lines
}

// selective: there is a symbol to probe, and there are copies it does not see (SH401).
func selective(c context) []Finding {
	copies := c.missedCopies()
	if len(copies) == 0 || len(c.PlainAt) == 0 {
		return nil
	}
	return []Finding{{
		Message: fmt.Sprintf("%s is inlined at %d of its %s: the plain probe attaches and misses every call there",
			c.Function, len(copies), plural(len(c.Sites), "place")),
		Evidence: copyEvidence(copies),
		Remedy:   c.command(),
	}}
}

// full: only inlined copies are left (SH402).
func full(c context) []Finding {
	copies := c.missedCopies()
	if len(copies) == 0 || len(c.PlainAt) != 0 {
		return nil
	}
	return []Finding{{
		Message:  fmt.Sprintf("%s has no body to probe under its name: it is inlined at %s", c.Function, plural(len(copies), "place")),
		Evidence: copyEvidence(copies),
		Remedy:   c.command(),
	}}
}

// suspected: no debug information, but the machine code looks inlined (SH403).
func suspected(c context) []Finding {
	if !c.Notes.NoCaller || c.Notes.StartFile { // of which SH407 tells once
		return nil
	}
	return []Finding{{
		Message:  fmt.Sprintf("%s is probably inlined, and without debug information the copies cannot be found", c.Function),
		Evidence: c.reasons(sites.ReasonNoDebug),
		Remedy:   c.debugRemedy(),
	}}
}

// debugRemedy says how to get the debug information of the file.
func (c context) debugRemedy() string {
	if c.Target.BuildID == "" {
		return "build the file with -g, or give its debug file's directory:\n" + c.checkAgain()
	}
	return "get the debug information of build " + c.Target.BuildID + " (package ...-dbgsym or ...-dbg), then:\n" + c.checkAgain() +
		"\nor from a debuginfod server (DEBUGINFOD_URLS):\n" + c.checkWith("--debuginfod")
}

func (c context) checkAgain() string { return c.checkWith("--debug-dir DIR") }

func (c context) checkWith(flag string) string {
	h := c.Hook
	h.Target = c.Target.Path
	return "surehook check " + flag + " " + shellQuote(h.String())
}

// notBoundary: the offset is inside an instruction (SH404).
func notBoundary(c context) []Finding {
	if !c.has(sites.ReasonNotBoundary) {
		return nil
	}
	return []Finding{{
		Message:  "the place is inside an instruction: the breakpoint would overwrite its middle and break the program",
		Evidence: c.reasons(sites.ReasonNotBoundary),
		Remedy:   "choose the first byte of an instruction; objdump -d " + c.Target.Path + " shows them",
	}}
}

// folded: identical functions were merged, so others' calls count too (SH405).
func folded(c context) []Finding {
	if len(c.Notes.Folded) == 0 {
		return nil
	}
	names := c.Notes.Folded
	more := ""
	if len(names) > maxEvidence {
		names, more = names[:maxEvidence], fmt.Sprintf(" and %d more", len(names)-maxEvidence)
	}
	return []Finding{{
		Message: fmt.Sprintf("the linker folded %s with %s of the same code: the probe counts their calls too",
			c.Function, plural(len(c.Notes.Folded), "other function")),
		Evidence: []string{"same address: " + strings.Join(names, ", ") + more},
		Remedy:   "link with --icf=none (gold, lld) or -fno-ipa-icf (gcc) to tell them apart; probe the callers otherwise",
	}}
}

// answered are the reasons that rules of their own speak about.
var answered = map[sites.ReasonCode]bool{
	sites.ReasonEntry: true, sites.ReasonInlined: true, sites.ReasonNoSymbol: true, sites.ReasonClone: true,
	sites.ReasonNoDebug: true, sites.ReasonGap: true, sites.ReasonIFunc: true, sites.ReasonReturn: true,
	sites.ReasonNotBoundary: true, sites.ReasonUndefined: true, sites.ReasonFolded: true,
	sites.ReasonHazard: true, sites.ReasonStack: true, sites.ReasonGoReturn: true,
	sites.ReasonUnsafe: true, sites.ReasonNoReturn: true,
}

// unknown: the verdict cannot be told, for a reason that is in the code (SH406).
func unknown(c context) []Finding {
	if c.Plain.Verdict != sites.Unknown && c.Plan.Verdict != sites.Unknown {
		return nil
	}
	evidence := c.unanswered()
	if len(evidence) == 0 {
		return nil
	}
	whose := "the plan"
	if c.Plain.Verdict == sites.Unknown {
		whose = "the plain probe"
	}
	return []Finding{{
		Message:  fmt.Sprintf("whether %s sees every execution of %s cannot be told", whose, c.Function),
		Evidence: evidence,
		Remedy:   "compare the two counts on a run you know:\n" + strings.Replace(c.own(), "--count", "--count --prove", 1),
	}}
}

// unanswered are the texts of the reasons that no other rule speaks about.
func (c context) unanswered() []string {
	var texts []string
	for _, j := range []sites.Judgement{c.Plain, c.Plan} {
		if j.Verdict == sites.Complete {
			continue
		}
		for _, r := range j.Reasons {
			if !answered[r.Code] {
				texts = append(texts, c.reasons(r.Code)...)
			}
		}
	}
	return unique(texts)
}

func unique(texts []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// noDebug: inlining cannot be told without debug information (SH407).
func noDebug(c context) []Finding {
	if !c.has(sites.ReasonNoDebug) || c.Notes.NoCaller && !c.Notes.StartFile {
		return nil
	}
	if c.Notes.StartFile { // the same for all of them, so that a glob says it once
		return []Finding{{
			Message:  fmt.Sprintf("start-up code of %s (_start, frame_dummy and the like) has no debug information: inlined copies cannot be ruled out", path.Base(c.Target.Path)),
			Evidence: []string{"the compiler and the C library bring it into every program"},
			Remedy:   "use a hook without these functions; they run once, when the program begins or ends",
		}}
	}
	return []Finding{{
		Message:  fmt.Sprintf("%s has no debug information: inlined copies of %s cannot be ruled out", path.Base(c.Target.Path), c.Function),
		Evidence: c.reasons(sites.ReasonNoDebug),
		Remedy:   c.debugRemedy(),
	}}
}

// gap: there is debug information that is not read (SH408).
func gap(c context) []Finding {
	if !c.has(sites.ReasonGap) {
		return nil
	}
	return []Finding{{
		Message:  fmt.Sprintf("part of the debug information is not read: inlined copies of %s may be missing here", c.Function),
		Evidence: c.reasons(sites.ReasonGap),
		Remedy:   "put the missing files where they were looked for, or compare the counts on a run you know:\n" + strings.Replace(c.own(), "--count", "--count --prove", 1),
	}}
}

// planLost: executions that no probe can see (SH409).
func planLost(c context) []Finding {
	if c.ghost() {
		return []Finding{{
			Severity: Error,
			Message:  fmt.Sprintf("nothing of %s is left to probe: no body and no inlined copy", c.Function),
			Evidence: c.reasons(sites.ReasonNoSymbol),
			Remedy:   "build with __attribute__((noinline)) for this function, or probe its callers",
		}}
	}
	if c.Plan.Verdict != sites.Partial && len(c.PlanLost) == 0 || c.has(sites.ReasonIFunc) {
		return nil // SH302 says it better
	}
	f := Finding{
		Message: fmt.Sprintf("some executions of %s have no place of their own: even surehook's plan misses them", c.Function),
		Remedy:  "read the count as a lower bound, or build with -fno-inline or __attribute__((noinline)) for this function",
	}
	for i, l := range c.PlanLost {
		if i == maxEvidence {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more", len(c.PlanLost)-i))
			break
		}
		f.Evidence = append(f.Evidence, lost(l))
	}
	if len(f.Evidence) == 0 {
		f.Evidence = c.unanswered()
	}
	return []Finding{f}
}

// ghost tells whether the function is known by name only.
func (c context) ghost() bool {
	return c.Plan.Verdict == sites.None && len(c.Sites) == 0 && len(c.PlanLost) == 0 && c.has(sites.ReasonNoSymbol)
}

// hazard: the first instruction must not be probed (SH411).
func hazard(c context) []Finding {
	if !c.has(sites.ReasonHazard) {
		return nil
	}
	return []Finding{{
		Message:  fmt.Sprintf("a breakpoint on the first instruction of %s fails or breaks the program", c.Function),
		Evidence: c.reasons(sites.ReasonHazard),
		Remedy:   c.own(),
	}}
}

func lost(l sites.Lost) string {
	if p := position(l.File, l.Line); p != "" {
		return fmt.Sprintf("%s (%s): %s", l.Caller, p, l.Why)
	}
	return l.Caller + ": " + l.Why
}

// returns: inlined copies have no return instruction (SH410).
func returns(c context) []Finding {
	if !c.Hook.Kind.Return() {
		return nil
	}
	if len(c.Sites) == 0 && c.has(sites.ReasonNoReturn) {
		return []Finding{{
			Message:  fmt.Sprintf("no execution of %s returns: there is nothing for a return probe to see", c.Function),
			Evidence: c.reasons(sites.ReasonNoReturn),
			Remedy:   "probe the entries: surehook trace --count " + shellQuote(c.entries()),
		}}
	}
	ends := c.ends()
	if len(ends) == 0 {
		return nil
	}
	return []Finding{{
		Message:  fmt.Sprintf("inlined copies of %s end without a return: a uretprobe sees the out-of-line calls only", c.Function),
		Evidence: ends,
		Remedy:   c.command(),
	}}
}

// entries spells the hook of the function's beginnings.
func (c context) entries() string {
	h := c.Hook
	h.Kind, h.Target = hook.Uprobe, c.Target.Path
	return h.String()
}

// ends lists where inlined copies end.
func (c context) ends() []string {
	var lines []string
	n := 0
	for _, s := range c.Sites {
		if s.Kind != sites.Exit || len(s.Callers) == 0 {
			continue
		}
		if n++; n <= maxEvidence {
			lines = append(lines, fmt.Sprintf("in %s: copy ends at %#x (%s)", caller(s), s.Address, where(s)))
		}
	}
	if n > maxEvidence {
		lines = append(lines, fmt.Sprintf("and %d more", n-maxEvidence))
	}
	return lines
}

// unsafeReturn: a uretprobe breaks the program (SH414).
func unsafeReturn(c context) []Finding {
	if !c.has(sites.ReasonUnsafe) {
		return nil
	}
	breaks, severity := "breaks", Error
	if c.Plain.Verdict == sites.Unknown {
		breaks, severity = "may break", Warning
	}
	remedy := "probe the entries: surehook trace --count " + shellQuote(c.entries())
	if len(c.Sites) > 0 {
		remedy = c.own()
	}
	return []Finding{{
		Severity: severity,
		Message:  fmt.Sprintf("a uretprobe on %s %s the program", c.Function, breaks),
		Evidence: c.reasons(sites.ReasonUnsafe),
		Remedy:   remedy,
	}}
}
