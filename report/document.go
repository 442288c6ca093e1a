package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/sites"
)

// Document is all that one run of check found. Every format is written from it.
type Document struct {
	Version string          // of surehook
	FailOn  check.Severity  // findings as bad as this, or worse, are failures
	Hooks   []Checked       // hooks of files
	Kernels []string        // that the hooks of Fleet were asked of
	Fleet   []OnKernels     // hooks of kernels
	Files   []CheckedFile   // with the hooks in them; of Kernels too
	Running []Attached      // what is attached on this machine, if that was asked: then not nil; of Kernels too
	General []check.Finding // about a file that was given, not about a hook in it
	Skipped []Skipped
	Passed  []Passed // files that hold nothing to check
}

// Skipped is something that was given and has no answer.
type Skipped struct {
	Subject string // the hook or file as given
	Origin  check.Origin
	Reason  string
	Failed  bool // it should have had an answer: the run fails
}

// Write writes a document. full is about text: every finding in full.
func Write(w io.Writer, f Format, d *Document, full bool) error {
	switch f {
	case SARIF:
		return writeSARIF(w, d.flat())
	case JUnit:
		return writeJUnit(w, d.flat())
	case Markdown:
		return writeMarkdown(w, d.flat())
	}
	if err := Findings(w, f, d.Hooks, full); err != nil {
		return err
	}
	if len(d.Hooks) > 0 && len(d.Fleet) > 0 && f == Text {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	if len(d.Fleet) > 0 {
		if err := Fleet(w, f, d.Kernels, d.Fleet, full); err != nil {
			return err
		}
	}
	if len(d.Files) > 0 {
		if len(d.Hooks)+len(d.Fleet) > 0 && f == Text {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := Files(w, f, d.Kernels, d.Files, full); err != nil {
			return err
		}
	}
	if d.Running != nil {
		if err := d.running(w, f, full); err != nil {
			return err
		}
	}
	return d.rest(w, f, full)
}

// flat is the document with the hooks in files among the others.
func (d *Document) flat() *Document {
	if len(d.Files)+len(d.Passed)+len(d.Running) == 0 {
		return d
	}
	all := *d
	all.Files, all.Running, all.Passed = nil, nil, nil
	all.Hooks, all.Fleet, all.Skipped = slices.Clone(d.Hooks), slices.Clone(d.Fleet), slices.Clone(d.Skipped)
	all.General = slices.Clone(d.General)
	for _, p := range passedOver(d.Passed) {
		all.Skipped = append(all.Skipped, Skipped{Subject: p.dir, Reason: p.String()})
	}
	for i := range d.Running {
		a := &d.Running[i]
		for _, f := range a.Functions {
			all.Hooks = append(all.Hooks, f.Checked)
		}
		all.Fleet = append(all.Fleet, a.OnKernel...)
		for _, why := range a.NotKnown {
			all.Skipped = append(all.Skipped, Skipped{Subject: a.title(), Origin: a.Origin(), Reason: why})
		}
	}
	for _, f := range d.Files {
		all.General = append(all.General, f.Findings...)
		for _, p := range f.Programs {
			all.Hooks, all.Fleet = append(all.Hooks, p.OnFiles...), append(all.Fleet, p.OnKernel...)
			if why := p.Program.HookNotKnown; why != "" {
				all.Skipped = append(all.Skipped, Skipped{Subject: p.Program.Name, Origin: p.origin(f.File.Path), Reason: why})
			}
		}
		for _, s := range f.File.Skipped {
			all.Skipped = append(all.Skipped, Skipped{Subject: s.What, Origin: check.Origin{File: f.File.Path, Where: s.Where}, Reason: s.Why})
		}
	}
	return &all
}

// running writes what is attached.
func (d *Document) running(w io.Writer, f Format, full bool) error {
	if f == JSON {
		return attachedJSON(w, d.Running)
	}
	return buffered(w, func(b *bufio.Writer) {
		if len(d.Hooks)+len(d.Fleet)+len(d.Files) > 0 {
			b.WriteString("\n")
		}
		attachedText(b, d.Kernels, d.Running, full)
	})
}

// rest writes what is not about a hook.
func (d *Document) rest(w io.Writer, f Format, full bool) error {
	if f == JSON {
		for _, g := range d.General {
			if err := line(w, newFinding(g)); err != nil {
				return err
			}
		}
		return d.passedJSON(w)
	}
	return buffered(w, func(b *bufio.Writer) {
		for _, g := range d.General {
			fmt.Fprintf(b, "\n%s", placeOf(g.Origin))
			findingText(b, g)
		}
		for _, s := range d.Skipped {
			if !s.Failed { // else it is said on standard error
				fmt.Fprintf(b, "\n%s\n", wrap("not looked at: "+s.Subject+": "+s.Reason, width, "  "))
			}
		}
		d.passedText(b, full)
	})
}

// placeOf writes "a.yaml:3:5".
func placeOf(o check.Origin) string {
	switch {
	case o.Line == 0:
		return o.File
	case o.Column == 0:
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Column)
}

// answer is one hook on one kernel or file.
type answer struct {
	subject  string // the kernel, or the file that a user-space hook names
	verdict  check.Verdict
	reasons  []sites.Reason // why the plain probe's verdict is what it is
	findings []check.Finding
	failed   string // why there is no answer; "" if there is one
}

func (a *answer) hook() string { return spelled(a.verdict.Hook) }

// answers gives every hook on every kernel or file.
func (d *Document) answers() []answer {
	var out []answer
	for _, h := range d.Hooks {
		out = append(out, answer{subject: h.Verdict.Hook.Target, verdict: h.Verdict, findings: h.Findings})
	}
	for _, h := range d.Fleet {
		for _, r := range h.Results {
			if r.NotAsked {
				continue
			}
			a := answer{subject: r.Verdict.Kernel, verdict: r.Verdict, reasons: r.Plain, findings: r.Findings}
			a.verdict.Hook = h.Hook
			if r.Err != nil {
				a.failed = r.Err.Error()
			}
			out = append(out, a)
		}
	}
	return out
}

// findings gives every finding in the order of the text.
func (d *Document) findings() []check.Finding {
	var out []check.Finding
	for _, a := range d.answers() {
		if a.failed == "" {
			out = append(out, a.findings...)
		}
	}
	return append(out, d.General...)
}

// bad tells whether a finding is a failure.
func (d *Document) bad(f check.Finding) bool {
	return f.Accepted == "" && f.Severity.AtLeast(d.limit())
}

func (d *Document) limit() check.Severity { return cmp.Or(d.FailOn, check.Warning) }

// subjects gives the kernels and files of answers, each once, in their order.
func subjects(answers []answer) []string {
	var out []string
	for _, a := range answers {
		if !slices.Contains(out, a.subject) {
			out = append(out, a.subject)
		}
	}
	return out
}

// oneLine makes one line of a text of several.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// origin is where the hook was found.
func (o *OnKernels) origin() check.Origin {
	for _, r := range o.Results {
		if !r.NotAsked {
			return r.Verdict.Origin
		}
	}
	return check.Origin{}
}
