package shipped

import (
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/bpfobj/tetragon"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

// Reasons why YAML in a directory is passed over.
const (
	noPolicy = "YAML without a TracingPolicy"
	noYAML   = "called YAML, cannot be read as such, and does not look like a TracingPolicy"
)

func isYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// readPolicy reads the policies of a file; nil if it has none, and why.
func readPolicy(r io.ReaderAt, size int64, name string) (f *bpfobj.File, why string, err error) {
	text, err := io.ReadAll(io.NewSectionReader(r, 0, min(size, maxText)))
	if err != nil {
		return nil, "", err
	}
	f, err = tetragon.Read(text, name)
	if none := (*tetragon.NoPolicyError)(nil); errors.As(err, &none) {
		if none.Damage != nil {
			return nil, noYAML, nil
		}
		return nil, noPolicy, nil
	}
	return f, "", err
}

// mistakes are the findings about what is wrong with a text (SH003).
func mistakes(f *bpfobj.File) []check.Finding {
	var out []check.Finding
	for _, m := range f.Mistakes {
		rule, _ := check.Find(string(check.SH003))
		g := check.Finding{
			Rule: rule.Code, Severity: rule.Severity, Message: m.Reason, Remedy: rule.Remedy,
			Origin: check.Origin{File: f.Path, Where: fmt.Sprintf("%d:%d", m.Line, m.Column), Line: m.Line, Column: m.Column},
		}
		if m.Maybe {
			g.Severity = check.Warning
			g.Evidence = []string{"it is like no field of Tetragon 1.7; a newer one may know it"}
		}
		out = append(out, g)
	}
	return out
}

// ignored makes milder what is said of hooks that are nowhere where the policy
// says that it goes on without them.
func ignored(f *bpfobj.File, p *report.CheckedProgram) {
	if f.Kind != bpfobj.Policy || !p.Program.Optional {
		return
	}
	milden := func(plain sites.Verdict, findings []check.Finding) {
		for i := range findings {
			if g := &findings[i]; plain == sites.None && g.Severity == check.Error {
				g.Severity = check.Info
				g.Evidence = append(g.Evidence[:len(g.Evidence):len(g.Evidence)], "the policy goes on without it (ignore.callNotFound)")
			}
		}
	}
	for i := range p.OnFiles {
		milden(p.OnFiles[i].Verdict.Plain, p.OnFiles[i].Findings)
	}
	for i := range p.OnKernel {
		for k := range p.OnKernel[i].Results {
			r := &p.OnKernel[i].Results[k]
			milden(r.Verdict.Plain, r.Findings)
		}
	}
}

// byOffset makes an address of an offset in the hook's file.
func (c *Checker) byOffset(h hook.Hook) (hook.Hook, error) {
	b, err := c.Files.Binary(h.Target)
	if err != nil {
		return h, err
	}
	addr, ok := b.File().Address(h.Address)
	if !ok {
		return h, &sites.AddressError{Path: h.Target, Address: h.Address, Why: "no part of the file that is loaded has this offset"}
	}
	h.Address = addr
	return h, nil
}
