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
		want           kernel.Made
	}{
		{"do_sys_open", "vfs_open", kernel.Always},
		{"start_kernel", "twice.constprop.0", kernel.Always},
		{"branchy", "vfs_open", kernel.Sometimes},
		{"passes", "vfs_open", kernel.Always},
		{"passes", "__traceiter_sched_switch", kernel.Always},
		{"may_pass", "__traceiter_sched_switch", kernel.Sometimes},
		{"passes_if", "__traceiter_sched_switch", kernel.Sometimes},
		{"warns", "vfs_open", kernel.Sometimes},
		{"refuses", "vfs_open", kernel.UnlessFails},
		{"refuses", "unsafe", kernel.UnlessFails},
		{"dies", "vfs_open", kernel.Always},
		{"panic", "vfs_open", kernel.Sometimes},
		{"give_up", "panic", kernel.Sometimes},
		{"may_give_up", "vfs_open", kernel.Always},
		{"may_give_up", "give_up", kernel.Sometimes},
		{"altered", "unsafe", kernel.Sometimes},
		{"altered", "vfs_open", kernel.Always},
	} {
		calls, err := s.Callees(c.caller)
		i := slices.IndexFunc(calls, func(x kernel.Call) bool { return x.Callee == c.callee })
		if err != nil || i < 0 {
			t.Errorf("%s does not call %s: %+v %v", c.caller, c.callee, calls, err)
			continue
		}
		if calls[i].Made != c.want {
			t.Errorf("%s calls %s: %v", c.caller, c.callee, calls[i].Made)
		}
	}
}
