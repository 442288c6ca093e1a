//go:build linux && (amd64 || arm64)

package nesting

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/surehook/surehook/hook"
)

// calls of each trial.
const calls = 50

func parse(t *testing.T, text string) hook.Hook {
	t.Helper()
	h, err := hook.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// try makes a trial, or skips the test for what this machine lacks.
func try(t *testing.T, trial Trial) Outcome {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("attaching needs root")
	}
	out, err := Run(trial)
	var refused *AttachError
	if errors.As(err, &refused) {
		t.Skip(refused.Error())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSYS) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOuter nests in outer hooks of all kinds: each fires once a call, and no
// kernel keeps a raw tracepoint inside of it from running.
func TestOuter(t *testing.T) {
	inner := parse(t, "rawtracepoint:bpf_trace_printk")
	for _, text := range []string{"rawtracepoint:task_rename", "tracepoint:task:task_rename", "kprobe:prctl_set_seccomp", "lsm:task_getpgid"} {
		t.Run(text, func(t *testing.T) {
			out := try(t, Trial{Outer: parse(t, text), Action: Print, Inner: []hook.Hook{inner}, Calls: calls})
			if text == "kprobe:prctl_set_seccomp" {
				if out.Outer.Ran != 0 || out.Inner[0].Ran != 0 {
					t.Errorf("a hook that does not fire ran %d times, what is nested in it %d", out.Outer.Ran, out.Inner[0].Ran)
				}
				return
			}
			if out.Completed != calls || out.Outer.Ran != calls {
				t.Errorf("%d calls, the outer program ran %d times; want %d", out.Completed, out.Outer.Ran, calls)
			}
			if p := out.Inner[0]; p.Err != nil || p.Ran != calls {
				t.Errorf("the inner program ran %d times of %d: %v", p.Ran, calls, p.Err)
			}
		})
	}
}

// TestUprobe nests in a uprobe of this program.
func TestUprobe(t *testing.T) {
	outer, err := TargetHook()
	if err != nil {
		t.Fatal(err)
	}
	out := try(t, Trial{Outer: outer, Action: Print, Inner: []hook.Hook{parse(t, "rawtracepoint:bpf_trace_printk")}, Calls: calls})
	if out.Outer.Ran != calls || out.Inner[0].Ran != calls {
		t.Errorf("outer %d, inner %d; want %d", out.Outer.Ran, out.Inner[0].Ran, calls)
	}
}

// TestSame nests a program in itself. Kernels before 6.1 run it, later ones
// count it; nothing is lost without being counted.
func TestSame(t *testing.T) {
	out := try(t, Trial{Outer: parse(t, "rawtracepoint:task_rename"), Action: Print, Inner: []hook.Hook{parse(t, "rawtracepoint:bpf_trace_printk")}, Calls: calls, Same: true})
	if got := out.Outer.Ran + out.Outer.Recursion; got != 2*calls {
		t.Errorf("ran %d, recursion_misses %d; want %d together", out.Outer.Ran, out.Outer.Recursion, 2*calls)
	}
}

// TestNothing attaches an inner hook alone: nothing fires it.
func TestNothing(t *testing.T) {
	out := try(t, Trial{Outer: parse(t, "rawtracepoint:task_rename"), Inner: []hook.Hook{parse(t, "rawtracepoint:bpf_trace_printk")}, Calls: calls})
	if out.Inner[0].Ran != 0 {
		t.Errorf("ran %d times though the outer program does nothing", out.Inner[0].Ran)
	}
}

func TestTooMany(t *testing.T) {
	if _, err := Run(Trial{Inner: make([]hook.Hook, MaxInner+1)}); err == nil {
		t.Error("no error for more inner hooks than there are counters")
	}
}
