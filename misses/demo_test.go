//go:build linux && (amd64 || arm64)

package misses

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/surehook/surehook/hook"
)

// contended are the scenes of the story of a contended lock.
func contended(t *testing.T) (scenes []scene, calls int) {
	getpgid := map[string]string{"amd64": "__x64_sys_getpgid", "arm64": "__arm64_sys_getpgid"}[runtime.GOARCH]
	for _, s := range stories(getpgid) {
		if s.scenes[0].lock != "" {
			return s.scenes, s.calls
		}
	}
	t.Fatal("no story of a lock")
	return nil, 0
}

// TestContended plays all scenes with a lock: what the middle of a program
// passes is seen by the raw tracepoint and never by the tracepoint.
func TestContended(t *testing.T) {
	root(t)
	scenes, calls := contended(t)
	shown := 0
	var why error
	for _, x := range scenes {
		out, err := x.play(calls)
		var not *notShown
		if errors.As(err, &not) {
			t.Logf("not shown: %s: %v", x.outer, err)
			why = err
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		shown++
		t.Logf("shown: %s: %s: %d of %d", x.outer, x.lock, out.Inner[1].Ran, out.Outer.Ran)
		if out.Inner[0].Ran != 0 || out.Inner[1].Ran == 0 || out.Outer.Ran == 0 || out.Inner[0].Hook.Kind != hook.Tracepoint {
			t.Errorf("%s: %+v", x.outer, out)
		}
	}
	if shown == 0 {
		t.Skip(why)
	}
}

// TestDemo tells all stories, each with a table or the reason why not.
func TestDemo(t *testing.T) {
	root(t)
	a, err := SelfTest()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Demo(&b, a); err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
	for i, part := range strings.Split(b.String(), "\n\n\n") {
		if !strings.Contains(part, "instead ") && !strings.Contains(part, "not shown with ") {
			t.Errorf("story %d has neither a table nor a reason: %s", i+1, part)
		}
	}
}

func TestHasSymbol(t *testing.T) {
	for name, want := range map[string]bool{"vfs_read": true, "read": false, "nf_conn": true} {
		if got, err := hasSymbol("testdata/kallsyms", name); err != nil || got != want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
}
