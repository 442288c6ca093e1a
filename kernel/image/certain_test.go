package image

import (
	"slices"
	"testing"

	"github.com/surehook/surehook/kernel"
)

// TestCertainCalls: which calls are made each time, as far as a kernel patches
// its code, warns and ends.
func TestCertainCalls(t *testing.T) {
	s := read(t, Options{}, input(t, buildKernel(t)))
	for _, c := range []struct {
		caller, callee string
		want           bool
	}{
		{"do_sys_open", "vfs_open", true},
		{"start_kernel", "twice.constprop.0", true},
		{"branchy", "vfs_open", false},
		{"passes", "vfs_open", true},
		{"passes", "__traceiter_sched_switch", true},
		{"may_pass", "__traceiter_sched_switch", false},
		{"passes_if", "__traceiter_sched_switch", false},
		{"warns", "vfs_open", false},
		{"dies", "vfs_open", true},
		{"panic", "vfs_open", false},
		{"give_up", "panic", false},
		{"may_give_up", "vfs_open", true},
		{"may_give_up", "give_up", false},
		{"altered", "unsafe", false},
		{"altered", "vfs_open", true},
	} {
		calls, err := s.Callees(c.caller)
		i := slices.IndexFunc(calls, func(x kernel.Call) bool { return x.Callee == c.callee })
		if err != nil || i < 0 {
			t.Errorf("%s does not call %s: %+v %v", c.caller, c.callee, calls, err)
			continue
		}
		if calls[i].Always != c.want {
			t.Errorf("%s calls %s: always %v", c.caller, c.callee, calls[i].Always)
		}
	}
}
