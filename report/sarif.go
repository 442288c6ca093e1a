package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/surehook/surehook/check"
)

// home is where the program's documentation is.
const home = "https://github.com/surehook/surehook"

// sarifSchema names the schema of the version that is written.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// writeSARIF writes a document as a SARIF log with one run (OASIS SARIF
// 2.1.0): a result for each finding and kernel, a notification for what has no
// answer.
func writeSARIF(w io.Writer, d *Document) error {
	rules := check.Rules()
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "surehook", Version: cmp.Or(d.Version, "(devel)"), InformationURI: home, Rules: sarifRules(rules),
		}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	prints := fingerprints{}
	for _, f := range d.findings() {
		run.Results = append(run.Results, newSARIFResult(f, rules, prints))
	}
	run.Invocations = []sarifInvocation{newInvocation(d)}
	log := sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}
	return writeJSON(w, log)
}

func writeJSON(w io.Writer, log sarifLog) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(log)
}

func sarifRules(rules []check.Rule) []sarifRule {
	var out []sarifRule
	for _, r := range rules {
		page := home + "/blob/main/docs/rules.md#" + strings.ToLower(string(r.Code))
		text := strings.TrimSpace(r.Explanation)
		out = append(out, sarifRule{
			ID: string(r.Code), Name: pascal(r.Title), HelpURI: page,
			Short:      sarifText{Text: capital(r.Title)},
			Full:       sarifText{Text: r.Summary},
			Help:       sarifText{Text: text + "\n\nWhat to do: " + r.Remedy, Markdown: text + "\n\n**What to do.** " + r.Remedy + "\n\n[" + string(r.Code) + "](" + page + ")"},
			Default:    sarifConfiguration{Level: level(r.Severity)},
			Properties: sarifRuleProperties{Tags: []string{r.Code.Gotcha()}},
		})
	}
	return out
}

// pascal is the form of a rule's name that SARIF asks for (§3.49.7).
func pascal(title string) string {
	var b strings.Builder
	up := true
	for _, c := range title {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			up = true
			continue
		}
		if up {
			c = unicode.ToUpper(c)
		}
		up = false
		b.WriteRune(c)
	}
	return b.String()
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func level(s check.Severity) string {
	switch s {
	case check.Error:
		return "error"
	case check.Warning:
		return "warning"
	}
	return "note"
}

func newSARIFResult(f check.Finding, rules []check.Rule, prints fingerprints) sarifResult {
	r := sarifResult{
		RuleID: string(f.Rule), RuleIndex: slices.IndexFunc(rules, func(r check.Rule) bool { return r.Code == f.Rule }),
		Level: level(f.Severity), Message: sarifText{Text: resultText(f)}, Locations: []sarifLocation{newLocation(f)},
		Fingerprints: prints.of(f),
		Properties: sarifProperties{
			Hook: spelled(f.Hook), Kernel: f.Kernel, Function: f.Function, Evidence: list(f.Evidence), Remedy: f.Remedy,
		},
	}
	if f.Accepted != "" {
		r.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: f.Accepted}}
	}
	return r
}

// resultText is a finding as one paragraph, as code scanning shows nothing
// else of it.
func resultText(f check.Finding) string {
	text := Visible(f.Message)
	if h := spelled(f.Hook); h != "" {
		text = Visible(h) + ": " + text
	}
	if f.Kernel != "" {
		text += " (" + f.Kernel + ")"
	}
	return text
}

// newLocation says where a finding is: in the file that asks for the hook, else
// the file that is hooked. A compiled object has no lines: its section and
// offset are the address, its program the logical location.
func newLocation(f check.Finding) sarifLocation {
	var l sarifLocation
	o := f.Origin
	switch {
	case o.File != "":
		l.Physical = &sarifPhysical{Artifact: artifact(o.File)}
		if o.Line > 0 {
			l.Physical.Region = &sarifRegion{StartLine: o.Line, StartColumn: o.Column}
		} else if o.Where != "" {
			l.Physical.Address = &sarifAddress{Kind: "section", FullName: o.Where}
		}
	case f.Hook.Kind.User() && strings.Contains(f.Hook.Target, "/"):
		l.Physical = &sarifPhysical{Artifact: artifact(f.Hook.Target)}
	case spelled(f.Hook) != "":
		// A hook that was given on the command line is in no file. Code scanning
		// takes no result without one.
		l.Physical = &sarifPhysical{Artifact: artifact("./" + spelled(f.Hook)), Region: &sarifRegion{StartLine: 1}}
	}
	switch {
	case o.Program != "":
		l.Logical = append(l.Logical, sarifLogical{Name: o.Program, Kind: "function", FullName: strings.Trim(o.Where+"/"+o.Program, "/")})
	case f.Function != "":
		l.Logical = append(l.Logical, sarifLogical{Name: f.Function, Kind: "function", FullName: strings.Trim(f.Kernel+"/"+f.Function, "/")})
	}
	return l
}

// artifact names a file: relative to the source's root if it is in it.
func artifact(name string) sarifArtifact {
	name = filepath.ToSlash(name)
	if path.IsAbs(name) {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: name}).String()}
	}
	a := sarifArtifact{URI: (&url.URL{Path: path.Clean(name)}).String()}
	if !strings.HasPrefix(path.Clean(name), "..") {
		a.Base = "%SRCROOT%"
	}
	return a
}

// fingerprints tells findings of equal description apart by their number.
type fingerprints map[string]int

// of identifies a finding from run to run: lines, offsets, messages and the
// order of files may change.
func (p fingerprints) of(f check.Finding) map[string]string {
	parts := []string{
		string(f.Rule), spelled(f.Hook), f.Kernel, f.Function, path.Clean(filepath.ToSlash(f.Origin.File)), f.Origin.Program,
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	id := fmt.Sprintf("%x", sum[:16])
	p[id]++
	id = fmt.Sprintf("%s:%d", id, p[id])
	// The first is the only name that GitHub reads; it would make one from the
	// text of the line, which an object has not.
	return map[string]string{"primaryLocationLineHash": id, "surehook/v1": id}
}

func newInvocation(d *Document) sarifInvocation {
	i := sarifInvocation{Successful: true, Notifications: []sarifNotification{}}
	note := func(subject, reason string, at check.Origin, failed bool) {
		n := sarifNotification{Level: "note", Message: sarifText{Text: Visible(strings.TrimPrefix(subject+": "+reason, ": "))}}
		if failed {
			n.Level, i.Successful = "error", false
		}
		if at.File != "" {
			n.Locations = []sarifLocation{newLocation(check.Finding{Origin: at})}
		}
		i.Notifications = append(i.Notifications, n)
	}
	for _, s := range d.Skipped {
		note(s.Subject, s.Reason, s.Origin, s.Failed)
	}
	for _, a := range d.answers() {
		if a.failed != "" {
			note(a.hook(), a.failed, a.verdict.Origin, true)
		}
	}
	return i
}
