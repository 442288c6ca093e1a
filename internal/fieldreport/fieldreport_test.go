package fieldreport

import (
	"bytes"
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
)

// result makes the answer for one kernel.
func result(name string, attaches kernel.Answer, list ...check.Finding) check.KernelResult {
	r := check.KernelResult{Verdict: check.Verdict{Kernel: name}, Attaches: attaches}
	for _, f := range list {
		f.Kernel = name
		r.Findings = append(r.Findings, f)
	}
	return r
}

// TestClaims: what is certain is listed once, with all its kernels; what the
// loader may avert is not.
func TestClaims(t *testing.T) {
	gone := check.Finding{Rule: check.SH101, Severity: check.Error, Message: "there is no f"}
	maybe := gone
	maybe.Severity = check.Warning
	other := check.Finding{Rule: check.SH118, Severity: check.Error, Message: "it reads another"}
	file := report.CheckedFile{File: &bpfobj.File{Path: "/usr/sbin/tool"}, Programs: []report.CheckedProgram{
		{Program: &bpfobj.Program{Name: "p"}, OnKernel: []report.OnKernels{{Hook: hook.Hook{}, Results: []check.KernelResult{
			result("debian-1-amd64", kernel.No, gone), result("debian-2-amd64", kernel.No, gone, other), result("debian-3-amd64", kernel.No, maybe), result("debian-4-amd64", kernel.Yes, other), result("debian-5-amd64", kernel.NotKnown, maybe),
		}}}},
	}}
	s := Section{Name: "tools", Prefix: "usr/sbin/", Kernels: []string{"debian-1-amd64", "debian-2-amd64", "debian-3-amd64", "debian-4-amd64", "debian-5-amd64"}, Files: []report.CheckedFile{file}}
	var b bytes.Buffer
	s.Write(&b)
	for _, want := range []string{
		"| tool | 1 | B | B | l | G | ? |", "- **breaks**, SH101, on 1-amd64, 2-amd64: there is no f (p)", "**reads wrong**, SH118, on 4-amd64",
		"`surehook check --kernel debian-1-amd64,debian-2-amd64,debian-4-amd64 usr/sbin/tool`", "0 other files",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

// TestSurface counts classes over two kernels.
func TestSurface(t *testing.T) {
	function := func(name string, symbols []kernel.Symbol, copies int, protos ...kernel.Proto) kernel.Function {
		return kernel.Function{Name: name, Symbols: symbols, Copies: make([]kernel.Copy, copies), Protos: protos}
	}
	body := func(name string) []kernel.Symbol { return []kernel.Symbol{{Name: name}} }
	one, two := kernel.Proto{Params: []kernel.Param{{Type: "i:int"}}}, kernel.Proto{Params: []kernel.Param{{Type: "*v"}}}
	a := &kernel.Snapshot{Functions: []kernel.Function{
		function("stays", body("stays"), 0, one), function("changes", body("changes"), 0, one), function("shrinks", body("shrinks"), 2), function("leaves", body("leaves"), 0),
	}, Events: []kernel.Tracepoint{{System: "s", Name: "e", Fields: []kernel.Field{{Name: "x"}}}}}
	b := &kernel.Snapshot{Functions: []kernel.Function{
		function("stays", body("stays"), 0, one), function("changes", body("changes"), 0, two), function("shrinks", nil, 3),
	}, Events: []kernel.Tracepoint{{System: "s", Name: "e", Fields: []kernel.Field{{Name: "y"}}}}}
	a.Sort()
	b.Sort()
	s := NewSurface([]kernel.Kernel{a, b})
	f := &bpfobj.File{}
	for _, text := range []string{"kprobe:stays", "fentry:changes", "kprobe:shrinks", "kretprobe:leaves", "tracepoint:s:e"} {
		h, err := hook.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		f.Programs = append(f.Programs, bpfobj.Program{Hooks: []hook.Hook{h}})
	}
	if err := s.Add("tool", f); err != nil {
		t.Fatal(err)
	}
	for class, want := range map[Class]string{
		FuncChanged: "changes", FuncSelective: "shrinks", FuncFull: "shrinks", FuncAbsent: "leaves", EventChanged: "s:e",
	} {
		c := s.Classes[class]
		if c == nil || len(c.Deps) != 1 || !c.Deps[want] {
			t.Errorf("%s: %+v", class, c)
		}
	}
	if n := len(s.Total["function"].Deps); n != 4 || s.Classes[EventAbsent] != nil || s.Classes[FuncDuplicated] != nil {
		t.Errorf("%d functions, %+v", n, s.Classes)
	}
	var page bytes.Buffer
	WriteClasses(&page, []string{"suite"}, []*Surface{s}, "1, 2", 2)
	if !strings.Contains(page.String(), "| function: absent | 1 of 1, 100 % | 10 of 25, 40 % |") {
		t.Error(&page)
	}
}
