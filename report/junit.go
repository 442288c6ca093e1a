package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/sites"
)

// The form of JUnit's XML report that Jenkins, GitLab and GitHub's test
// reporters read. There is no standard; this is what the Ant task writes.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class    string         `xml:"classname,attr"`
	Name     string         `xml:"name,attr"`
	File     string         `xml:"file,attr,omitempty"`
	Line     int            `xml:"line,attr,omitempty"`
	Failures []junitFailure `xml:"failure"`
	Error    *junitFailure  `xml:"error"`
	Skipped  *junitSkipped  `xml:"skipped"`
	Out      string         `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// writeJUnit writes one suite for each kernel or file, one test case for each
// hook on it. A verdict that is not known is no passed test: it is skipped,
// with the reason.
func writeJUnit(w io.Writer, d *Document) error {
	answers := d.answers()
	root := junitSuites{Name: "surehook"}
	for _, subject := range subjects(answers) {
		s := junitSuite{Name: subject}
		for _, a := range answers {
			if a.subject == subject {
				s.add(d.junitAnswer(&a))
			}
		}
		root.add(s)
	}
	root.add(d.junitGeneral())
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(root); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitGeneral is the suite of files: findings about them, and what was skipped.
func (d *Document) junitGeneral() junitSuite {
	s := junitSuite{Name: "files"}
	cases := map[string]int{}
	for _, f := range d.General {
		i, ok := cases[f.Origin.File]
		if !ok {
			i = len(s.Cases)
			cases[f.Origin.File] = i
			s.Cases = append(s.Cases, junitCase{Class: "file", Name: f.Origin.File, File: f.Origin.File, Line: f.Origin.Line})
		}
		d.junitFinding(&s.Cases[i], f)
	}
	list := s.Cases
	s.Cases = nil
	for _, c := range list {
		s.add(c)
	}
	for _, k := range d.Skipped {
		c := junitCase{Class: cmp.Or(k.Origin.File, "input"), Name: k.Subject, File: k.Origin.File, Line: k.Origin.Line}
		if k.Failed {
			c.Error = &junitFailure{Type: "unusable", Message: oneLine(k.Reason)}
		} else {
			c.Skipped = &junitSkipped{k.Reason}
		}
		s.add(c)
	}
	return s
}

func (d *Document) junitAnswer(a *answer) junitCase {
	c := junitCase{Class: cmp.Or(a.verdict.Origin.File, string(a.verdict.Hook.Kind)), Name: a.hook(), File: a.verdict.Origin.File, Line: a.verdict.Origin.Line}
	if a.verdict.Origin.Program != "" {
		c.Name = a.verdict.Origin.Program + " " + c.Name
	}
	if a.failed != "" {
		c.Error = &junitFailure{Type: "unusable", Message: oneLine(a.failed)}
		return c
	}
	c.Out = fmt.Sprintf("plain probe %s, surehook %s\n", a.verdict.Plain, a.verdict.Plan)
	for _, f := range a.findings {
		d.junitFinding(&c, f)
	}
	if len(c.Failures) == 0 && a.verdict.Plain == sites.Unknown {
		c.Skipped = &junitSkipped{"verdict unknown: " + oneLine(a.why())}
	}
	return c
}

// why says why the plain probe's verdict is what it is.
func (a *answer) why() string {
	if len(a.reasons) > 0 {
		return a.reasons[0].Text
	}
	if len(a.findings) > 0 {
		return a.findings[0].Message
	}
	return "no reason is recorded"
}

// junitFinding adds a finding: a failure, or a text where it is none.
func (d *Document) junitFinding(c *junitCase, f check.Finding) {
	text := fmt.Sprintf("%s %s: %s\n", f.Severity, f.Rule, f.Message)
	for _, e := range f.Evidence {
		text += "  " + e + "\n"
	}
	if f.Remedy != "" {
		text += "what to do\n  " + strings.ReplaceAll(f.Remedy, "\n", "\n  ") + "\n"
	}
	switch {
	case d.bad(f):
		c.Failures = append(c.Failures, junitFailure{Type: string(f.Rule), Message: oneLine(f.Message), Text: text})
	case f.Accepted != "":
		c.Out += "accepted (" + f.Accepted + "): " + text
	default:
		c.Out += text
	}
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if len(c.Failures) > 0 {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

func (r *junitSuites) add(s junitSuite) {
	if s.Tests == 0 {
		return
	}
	r.Suites = append(r.Suites, s)
	r.Tests += s.Tests
	r.Failures += s.Failures
	r.Errors += s.Errors
	r.Skipped += s.Skipped
}
