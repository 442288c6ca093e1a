package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/sites"
)

// document has a case of everything: hooks of files and of kernels, findings
// with and without a place, one that is accepted, verdicts that are not known,
// names that look like markup.
func document(t *testing.T) *Document {
	kernels := []string{"debian-5.10.0-1-amd64", "debian-6.1.0-50-amd64", "damaged"}
	script := check.Origin{File: "tools/a b.bt", Line: 12, Column: 3}
	object := check.Origin{File: "/opt/tools/x.bpf.o", Program: "handle", Where: "kprobe/do_open+0x8"}
	d := &Document{Version: "v1.2.3", FailOn: check.Warning, Kernels: kernels, Hooks: checked(t)}
	one := OnKernels{Hook: parse(t, "kprobe:do_open")}
	for i, k := range kernels {
		h := one.Hook
		r := check.KernelResult{Verdict: check.Verdict{Hook: h, Kernel: k, Plain: sites.Partial, Plan: sites.Complete, Functions: 1, Origin: script}}
		f := check.Finding{
			Rule: check.SH401, Severity: check.Error, Hook: h, Function: "do_open", Kernel: k, Origin: script,
			Message: "do_open is inlined at 2 of its 3 places", Evidence: []string{"in <b>sys_open</b> | x", "in @everybody"}, Remedy: "surehook trace 'kprobe:do_open'",
		}
		switch i {
		case 1:
			r.Verdict.Plain, r.Plain = sites.Unknown, []sites.Reason{{Code: "missing-facts", Text: "inlining is not known"}}
			f.Severity, f.Message = check.Info, "only a note"
		case 2:
			r = check.KernelResult{Verdict: r.Verdict, Err: errors.New("kernel damaged: at 0x10: bad magic")}
		}
		if r.Err == nil {
			r.Findings = []check.Finding{f, f} // two of a rule are told apart
		}
		one.Results = append(one.Results, r)
	}
	two := OnKernels{Hook: parse(t, "fentry:do_open")}
	for _, k := range kernels[:2] {
		v := check.Verdict{Hook: two.Hook, Kernel: k, Plain: sites.None, Plan: sites.None, Functions: 1, Origin: object}
		two.Results = append(two.Results, check.KernelResult{Verdict: v, Findings: []check.Finding{{
			Rule: check.SH101, Severity: check.Error, Hook: two.Hook, Function: "do_open", Kernel: k, Origin: object, Message: "no function do_open\x1b[31m", Accepted: "5.10 goes | away",
		}}})
	}
	d.Fleet = []OnKernels{one, two}
	d.General = []check.Finding{{Rule: check.SH102, Severity: check.Warning, Message: "about the file", Origin: check.Origin{File: "../policy.yaml", Line: 2}}}
	d.Skipped = []Skipped{
		{Subject: "kprobe:", Reason: "nothing after the kind", Failed: true},
		{Subject: "README.md", Origin: check.Origin{File: "README.md"}, Reason: "not a file that hooks are in"},
	}
	return d
}

// TestDocument compares every format with its golden file.
func TestDocument(t *testing.T) {
	for _, f := range []Format{SARIF, JUnit, Markdown} {
		t.Run(string(f), func(t *testing.T) {
			b := written(t, f, document(t))
			if f == SARIF {
				b = withoutRules(t, b)
			}
			golden(t, "document."+string(f), b)
		})
	}
}

// withoutRules leaves one rule in a log, so that the golden file is not another
// when the table of rules is.
func withoutRules(t *testing.T, b []byte) []byte {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(b, &log); err != nil {
		t.Fatal(err)
	}
	driver, results := &log.Runs[0].Tool.Driver, log.Runs[0].Results
	if len(driver.Rules) != len(check.Rules()) {
		t.Errorf("%d rules", len(driver.Rules))
	}
	for i := range results {
		if got := driver.Rules[results[i].RuleIndex].ID; got != results[i].RuleID {
			t.Errorf("rule %s has the index of %s", results[i].RuleID, got)
		}
		results[i].RuleIndex = 0
	}
	driver.Rules = slices.DeleteFunc(driver.Rules, func(r sarifRule) bool { return r.ID != string(check.SH401) })
	var out bytes.Buffer
	if err := writeJSON(&out, log); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func written(t *testing.T, f Format, d *Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, d, false); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSARIFSchema validates against the schema of the standard, with and
// without findings.
func TestSARIFSchema(t *testing.T) {
	f, err := os.Open("testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Document{document(t), {}} {
		log, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, SARIF, d)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(log); err != nil {
			t.Errorf("%#v", err)
		}
	}
	bad, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"version":"2.1.0","runs":[{"results":[{"message":{"text":"x"},"level":"bad"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(bad) == nil {
		t.Error("the schema takes anything")
	}
}

// TestFingerprints: they are what they were when lines and messages change,
// and differ between findings.
func TestFingerprints(t *testing.T) {
	prints := func(d *Document) []string {
		var log sarifLog
		if err := json.Unmarshal(written(t, SARIF, d), &log); err != nil {
			t.Fatal(err)
		}
		var out []string
		seen := map[string]bool{}
		for _, r := range log.Runs[0].Results {
			id := r.Fingerprints["surehook/v1"]
			if seen[id] || id == "" {
				t.Errorf("%s twice", id)
			}
			seen[id] = true
			out = append(out, id)
		}
		return out
	}
	a, b := document(t), document(t)
	for i := range b.Fleet[0].Results {
		for j := range b.Fleet[0].Results[i].Findings {
			f := &b.Fleet[0].Results[i].Findings[j]
			f.Origin.Line, f.Message = f.Origin.Line+100, "said better"
		}
	}
	x, y := prints(a), prints(b)
	if strings.Join(x, " ") != strings.Join(y, " ") || len(x) < 6 {
		t.Errorf("%v\n%v", x, y)
	}
}

// TestJUnit: what fails, what is not known and what has no answer are counted
// apart, and nothing in a name breaks the XML.
func TestJUnit(t *testing.T) {
	d := document(t)
	d.Fleet[0].Hook.Text = "kprobe:a\x00]]>\"<&"
	var got junitSuites
	if err := xml.Unmarshal(written(t, JUnit, d), &got); err != nil {
		t.Fatal(err)
	}
	// Two hooks of a file, the script's on two kernels with an answer, the
	// object's on two; the file, and two that are skipped.
	if got.Tests != 10 || got.Failures != 4 || got.Errors != 2 || got.Skipped != 2 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", got.Tests, got.Failures, got.Errors, got.Skipped)
	}
	d.FailOn = check.Never
	if err := xml.Unmarshal(written(t, JUnit, d), &got); err != nil {
		t.Fatal(err)
	}
	if got.Failures != 0 {
		t.Errorf("%d failures with nothing to fail on", got.Failures)
	}
}

// TestMarkdownIsBounded: a comment that is too long is refused as a whole.
func TestMarkdownIsBounded(t *testing.T) {
	d := document(t)
	one := d.Fleet[0]
	for range 2000 {
		d.Fleet = append(d.Fleet, one)
	}
	b := written(t, Markdown, d)
	if len(b) > 65536 || !bytes.Contains(b, []byte(" more rows")) && !bytes.Contains(b, []byte("rows more")) {
		t.Errorf("%d bytes: %s", len(b), b[len(b)-200:])
	}
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("|")) && (bytes.Contains(line, []byte("@")) || bytes.Contains(line, []byte("<b>"))) {
			t.Errorf("markup of a name: %s", line)
		}
	}
}

func TestParseDocumentFormat(t *testing.T) {
	if f, err := ParseDocumentFormat("sarif"); err != nil || f != SARIF {
		t.Error(f, err)
	}
	if f, err := ParseDocumentFormat("html"); err == nil || f != "" {
		t.Error(f, err)
	}
	if f, err := ParseFormat("sarif"); err == nil || f != "" {
		t.Error(f, err)
	}
}
