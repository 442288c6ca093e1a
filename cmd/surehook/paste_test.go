package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/demo"
)

// TestRemedyCanBePasted runs the bpftrace commands that findings give, as a
// user would, and compares the count with what the program counted itself.
func TestRemedyCanBePasted(t *testing.T) {
	bpftrace, err := exec.LookPath("bpftrace")
	if err != nil {
		t.Skip("needs bpftrace")
	}
	if !canAttach() {
		t.Skip("cannot attach here: needs root and Linux on amd64")
	}
	for _, name := range []string{"inline", "partial"} {
		t.Run(name, func(t *testing.T) {
			example, err := demo.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := demo.Extract(dir, example, elfbin.AMD64); err != nil {
				t.Fatal(err)
			}
			var c common
			text := strings.Replace(example.Hook, "./", dir+"/", 1)
			checked := c.check([]string{text}, "", func(_ string, err error) { t.Fatal(err) })
			remedy, _, _ := strings.Cut(firstError(checked[0].Findings).Remedy, "\n")
			if !strings.HasPrefix(remedy, "bpftrace ") {
				t.Fatalf("no bpftrace command: %q", remedy)
			}
			out := paste(t, bpftrace, remedy, filepath.Join(dir, example.Command[0]), example.Command[1:])
			if !strings.Contains(out, fmt.Sprintf("\n@: %d\n", example.Truth)) {
				t.Errorf("%s\ncounted, want %d:\n%s", remedy, example.Truth, out)
			}
		})
	}
}

func firstError(findings []check.Finding) check.Finding {
	for _, f := range findings {
		if f.Severity == check.Error {
			return f
		}
	}
	return check.Finding{}
}

// paste runs the command in a shell, with -c behind it.
func paste(t *testing.T, bpftrace, command, program string, args []string) string {
	t.Helper()
	line := strings.Replace(command, "bpftrace", bpftrace, 1) + " -c '" + strings.Join(append([]string{program}, args...), " ") + "'"
	out, err := exec.Command("sh", "-c", line).CombinedOutput()
	if strings.Contains(string(out), "probe offset support") {
		t.Skip("this bpftrace is built without a disassembler: it cannot probe inside functions")
	}
	if err != nil && !strings.Contains(string(out), "failed to detach probe") {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}
