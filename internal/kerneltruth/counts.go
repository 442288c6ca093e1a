package kerneltruth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
)

// Truth is how often the guest's work executes a function in each round,
// by the system calls that it makes and what the kernel's source says that
// each of them calls.
type Truth struct {
	Function string
	PerRound uint64
	Why      string
	// Until is the first series that calls it otherwise; "": none.
	Until string
}

// truths are the functions that are counted where they are selectively
// inlined. See vmhooks for the system calls of a round.
func truths() []Truth {
	return []Truth{
		{"do_sys_open", 1, "openat", ""},
		{"build_open_flags", 1, "openat", ""},
		{"vfs_open", 1, "openat", ""},
		{"vfs_fsync", 2, "fsync, fdatasync", ""},
		{"vfs_fsync_range", 2, "fsync, fdatasync", ""},
		{"ksys_pread64", 1, "pread64", ""},
		{"ksys_pwrite64", 1, "pwrite64", ""},
		{"vfs_getattr", 1, "fstat", ""},
		{"sock_create", 1, "socket", ""},
		{"sk_free", 1, "close of a socket", ""},
		{"get_unused_fd_flags", 2, "openat, socket", ""},
		{"close_fd", 2, "close", "6.12"}, // file_close_fd since
		{"group_send_sig_info", 1, "kill", ""},
		{"kill_pid_info", 1, "kill", ""},
		{"do_mount", 1, "mount", ""},
		{"may_mount", 2, "mount, umount2", ""},
		{"user_path_at_empty", 2, "mount, umount2", ""},
		{"vfs_fchmod", 1, "fchmod", ""},
		{"sched_setscheduler", 1, "sched_setscheduler", ""},
		{"getname", 6, "openat, mkdirat, unlinkat twice, symlinkat twice", ""},
		{"getname_flags", 8, "as getname, mount, umount2", ""},
		{"done_path_create", 2, "mkdirat, symlinkat", ""},
		{"vfs_rmdir", 1, "unlinkat", ""},
	}
}

// Counted is a function that was counted in the guest.
type Counted struct {
	Truth
	Want, Plan, Plain uint64 // of all rounds
	PlanVerdict       string
}

// rounds of the two runs; their difference leaves out what the program does
// besides.
const (
	fewRounds  = 10
	manyRounds = 110
)

// countObject is what is read of surehook.count/1.
type countObject struct {
	Schema     string  `json:"schema"`
	Function   string  `json:"function"`
	Executions uint64  `json:"executions"`
	Plain      *uint64 `json:"plain"`
	Verdict    string  `json:"verdict"` // of the plan
}

// Count counts the selectively inlined functions of the table with the plan
// and with the plain probe. surehook and guest are programs for the kernel,
// file is an atlas that has it.
func Count(ctx context.Context, vm vmtest.Kernel, k kernel.Kernel, surehook, guest, file string) ([]Counted, error) {
	var out []Counted
	hooks := []string{}
	for _, t := range truths() {
		f, ok, err := k.Function(t.Function)
		if err != nil {
			return nil, err
		}
		if !ok || f.Class() != kernel.Selective || t.Until != "" && !before(vm.Series, t.Until) {
			continue
		}
		out = append(out, Counted{Truth: t, Want: t.PerRound * (manyRounds - fewRounds)})
		hooks = append(hooks, "kprobe:"+t.Function)
	}
	if len(out) == 0 { // inlining is not known there
		return nil, nil
	}
	job := vmtest.Job{
		Files:   []vmtest.File{{Name: "/bin/surehook", From: surehook}, {Name: "/bin/vmhooks", From: guest}, {Name: "/k.atlas", From: file}},
		Cmdline: []string{"no_timer_check"},
	}
	for _, n := range []int{fewRounds, manyRounds} {
		args := append([]string{"/bin/surehook", "trace", "--atlas", "/k.atlas", "--count", "--prove", "--format", "json", "-o", "/tmp/counts" + strconv.Itoa(n)}, hooks...)
		job.Steps = append(job.Steps, vmtest.Step{Args: append(args, "-c", "/bin/vmhooks work "+strconv.Itoa(n)), Seconds: 300})
		job.Collect = append(job.Collect, "/tmp/counts"+strconv.Itoa(n))
	}
	done, err := vm.Run(ctx, job)
	if err != nil {
		return nil, err
	}
	for _, d := range done.Steps {
		if d.Exit != 0 {
			return nil, fmt.Errorf("the guest: exit %d %s: %s %s", d.Exit, d.Error, d.Stderr, d.Stdout)
		}
	}
	few, err := parseCounts(done.Files[job.Collect[0]])
	if err != nil {
		return nil, err
	}
	many, err := parseCounts(done.Files[job.Collect[1]])
	if err != nil {
		return nil, err
	}
	for i := range out {
		a, b := few[out[i].Function], many[out[i].Function]
		out[i].Plan, out[i].PlanVerdict = b.Executions-a.Executions, b.Verdict
		if a.Plain != nil && b.Plain != nil {
			out[i].Plain = *b.Plain - *a.Plain
		}
	}
	return out, nil
}

// before compares series, "6.1" with "6.12".
func before(a, b string) bool {
	x, y := strings.SplitN(a, ".", 2), strings.SplitN(b, ".", 2)
	for i := range 2 {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return false
}

func parseCounts(data []byte) (map[string]countObject, error) {
	out := map[string]countObject{}
	for line := range bytes.Lines(data) {
		var o countObject
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if strings.HasPrefix(o.Schema, "surehook.count/") {
			out[o.Function] = o
		}
	}
	return out, nil
}
