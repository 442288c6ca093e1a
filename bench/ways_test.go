//go:build linux && (amd64 || arm64)

package bench

import (
	"fmt"
	"strings"
	"testing"

	"github.com/surehook/surehook/attach"
)

func TestWays(t *testing.T) {
	body := attach.Ways{attach.ByFentry, attach.ByKprobeMulti, attach.ByKprobe}
	tests := []struct {
		name string
		plan attach.Plan
		want string
	}{
		{"function of a file", attach.Plan{Path: "/p", Probes: []attach.Probe{{Offset: 1}, {Offset: 2}}}, "uprobe 2, uprobe.multi 2"},
		{"returns", attach.Plan{Path: "/p", Probes: []attach.Probe{{Offset: 1, Return: true}}}, "uretprobe 1, uretprobe.multi 1"},
		{"returns and exits", attach.Plan{Path: "/p", Probes: []attach.Probe{{Offset: 1, Return: true}, {Offset: 2}}}, "uprobe 2, uprobe.multi 2"},
		{"two conditions at one place", attach.Plan{Path: "/p", Probes: []attach.Probe{{Offset: 1}, {Offset: 1}}},
			"uprobe 1, uprobe.multi 1"},
		{"body in the kernel", attach.Plan{Probes: []attach.Probe{{Symbol: "f", Ways: body}}}, "fentry 1, kprobe.multi 1, kprobe 1"},
		{"its return", attach.Plan{Probes: []attach.Probe{{Symbol: "f", Ways: body, Return: true}}}, "fexit 1, kretprobe.multi 1, kretprobe 1"},
		{"with an inlined copy", attach.Plan{Probes: []attach.Probe{{Symbol: "f", Ways: body}, {Symbol: "g", Offset: 8}}}, "kprobe 2"},
		{"return with an exit", attach.Plan{Probes: []attach.Probe{{Symbol: "f", Ways: body, Return: true}, {Symbol: "g", Offset: 8}}}, "kprobe 2"},
		{"event", attach.Plan{Probes: []attach.Probe{{Symbol: "sched:sched_switch", Ways: attach.Ways{attach.ByTracepoint}}}}, "tracepoint 1, raw tracepoint 1, tp_btf 1"},
		{"of a system call", attach.Plan{Probes: []attach.Probe{{Symbol: "syscalls:sys_enter_read", Ways: attach.Ways{attach.ByTracepoint}}}}, "tracepoint 1"},
		{"raw", attach.Plan{Probes: []attach.Probe{{Symbol: "sys_enter", Ways: attach.Ways{attach.ByRawTracepoint}}}}, "raw tracepoint 1, tp_btf 1"},
		{"LSM", attach.Plan{Probes: []attach.Probe{{Symbol: "file_open", Ways: attach.Ways{attach.ByLSM}}}}, "lsm 1"},
		{"none", attach.Plan{}, ""},
	}
	for _, test := range tests {
		var got []string
		all := ways([]attach.Plan{test.plan})
		if all[0].mech != nothing {
			t.Errorf("%s: begins with %s", test.name, all[0].name)
		}
		for _, w := range all[1:] {
			got = append(got, fmt.Sprintf("%s %d", w.name, len(w.targets)))
		}
		if s := strings.Join(got, ", "); s != test.want {
			t.Errorf("%s: %s, want %s", test.name, s, test.want)
		}
	}
}
