package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/running"
)

func TestMain(m *testing.M) {
	live.Held()
	all := map[string]func(){
		"surehook": func() { os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})) },
	}
	maps.Copy(all, programs())
	testscript.Main(m, all)
}

// TestScripts runs testdata/*.txtar: command lines and what they print. The
// demo's programs for x86-64 are in each script's directory.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			if err := writeAtlases(e.WorkDir); err != nil {
				return err
			}
			for _, name := range []string{"inline", "partial"} {
				example, err := demo.Find(name)
				if err != nil {
					return err
				}
				if err := demo.Extract(e.WorkDir, example, elfbin.AMD64); err != nil && !errors.Is(err, fs.ErrExist) {
					return err
				}
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "attach":
				return canAttach(), nil
			case "bpffs":
				return exec.Command("sh", "-c", "mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf").Run() == nil, nil
			case "hidebtf":
				return canHideBTF(), nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
	})
}

// canAttach tells whether the demo's x86-64 programs can be traced here.
func canAttach() bool {
	if runtime.GOARCH != elfbin.AMD64.String() {
		return false
	}
	s, err := attach.Open(nil, attach.Options{})
	if err == nil {
		return s.Close() == nil
	}
	return !errors.Is(err, attach.ErrNotPermitted) && !errors.Is(err, attach.ErrNotSupported)
}

// canHideBTF tells whether the kernel's type information can be covered up for
// a process.
func canHideBTF() bool {
	return exec.Command("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/sys/kernel/btf").Run() == nil
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{&exitError{code: exitFindings}, 1},
		{fmt.Errorf("add: %w", &attach.ProbeError{Err: attach.ErrHazard}), 1},
		{errors.New("anything else"), 2},
		{fmt.Errorf("open: %w", attach.ErrNotPermitted), 3},
		{attach.ErrNotSupported, 3},
		{running.ErrNotPermitted, 3},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%v: exit %d, want %d", tt.err, got, tt.want)
		}
	}
}

// TestErrorsAreOneLine: whatever is wrong is said once, in one line, on
// standard error.
func TestErrorsAreOneLine(t *testing.T) {
	for _, args := range [][]string{
		{"frob"}, {"sites"}, {"sites", ""}, {"sites", "uprob:./x:f"}, {"sites", "uprobe:./nosuch:f"}, {"sites", "--frob"},
		{"check", "--fail-on", "x", "uprobe:./x:f"}, {"check", "--build-id", "xyz", "uprobe:./x:f"}, {"explain", "SH999"}, {"explain", "a", "b"},
		{"trace", "uprobe:./x:f", "-c", "'"}, {"trace", "uprobe:./x:f", "-p", "-1"}, {"trace", "-c", "x", "-p", "1", "uprobe:./x:f"},
		{"demo", "nosuch"}, {"sites", "kprobe:no_such_function_there"}, {"sites", "uprobe:/dev/null:f"}, {"sites", "uprobe:.:f"}, {"sites", "uprobe:./x:f\x00"},
	} {
		var out, errs bytes.Buffer
		code := run(args, streams{in: strings.NewReader(""), out: &out, err: &errs})
		if code != exitUsage || out.Len() != 0 || strings.Count(errs.String(), "\n") != 1 || !strings.HasPrefix(errs.String(), "surehook: ") {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, code, out.String(), errs.String())
		}
	}
}
