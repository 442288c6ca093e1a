package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// realKernels lists the files vmlinux below the directory SUREHOOK_KERNELS,
// one directory a release, as /usr/lib/debug/boot of Debian's debug packages
// has them.
func realKernels(t *testing.T, release string) []string {
	t.Helper()
	dir := os.Getenv("SUREHOOK_KERNELS")
	if dir == "" {
		t.Skip("SUREHOOK_KERNELS names no directory of kernels with debug information")
	}
	found, err := filepath.Glob(filepath.Join(dir, release, "vmlinux"))
	if err != nil || len(found) == 0 {
		t.Skipf("no %s/vmlinux in %s", release, dir)
	}
	return found
}

// TestDebian61 checks what is known of Debian 12's kernel.
func TestDebian61(t *testing.T) {
	s := read(t, Options{}, input(t, realKernels(t, "6.1.0-*-cloud-amd64")[0]))
	for _, name := range []string{"do_sys_open", "cap_capable", "vfs_fsync", "mutex_lock"} {
		f := function(t, s, name)
		if len(f.Copies) == 0 || len(f.Symbols) != 1 || f.Symbols[0].Kind != kernel.Body || f.Symbols[0].Traceable != kernel.Yes {
			t.Errorf("%s: %d copies, symbols %+v", name, len(f.Copies), f.Symbols)
		}
	}
	if f := function(t, s, "kfree_skb"); len(f.Copies) < 100 || len(f.Symbols) != 0 {
		t.Errorf("kfree_skb: %d copies, symbols %+v", len(f.Copies), f.Symbols)
	}
	if f := function(t, s, "finish_task_switch"); len(f.Symbols) != 1 || f.Symbols[0].Name != "finish_task_switch.isra.0" || f.Symbols[0].Kind != kernel.Clone {
		t.Errorf("finish_task_switch: %+v", f.Symbols)
	}
	calls, err := s.Callers("do_sys_openat2")
	if err != nil || !slices.ContainsFunc(calls, func(c kernel.Call) bool { return c.Caller == "do_sys_open" }) {
		t.Errorf("%v %v", calls, err)
	}
}

// TestKernels reads every kernel: no topic may be missing that the file tells.
func TestKernels(t *testing.T) {
	for _, path := range realKernels(t, "*") {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			s := read(t, Options{Only: []string{"do_sys_open"}}, input(t, path))
			for topic := range kernel.NumTopics {
				if why := s.Missing(topic); why != "" && topic != kernel.Modules && topic != kernel.ModuleCalls && topic != kernel.Config && topic != kernel.Inlining {
					t.Errorf("%v is missing: %s", topic, why)
				}
			}
			if !strings.HasPrefix(s.ID.Name, "debian-") || s.ID.BuildID == "" {
				t.Errorf("%+v", s.ID)
			}
			if f := function(t, s, "do_sys_open"); len(f.Copies) == 0 || f.Plan.Verdict != sites.Complete {
				t.Errorf("%+v", f)
			}
			if len(s.Events) < 1000 || len(s.Raws) < 500 || len(s.Hooks) < 200 || len(s.Edges) < 100000 || len(s.Defs) < 5000 {
				t.Errorf("%d events, %d raw tracepoints, %d hooks, %d calls, %d definitions", len(s.Events), len(s.Raws), len(s.Hooks), len(s.Edges), len(s.Defs))
			}
		})
	}
}
