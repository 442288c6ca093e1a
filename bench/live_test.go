//go:build linux && (amd64 || arm64)

package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/unix"
)

// TestLive measures everything shortly. What this kernel has must have run at
// each call, and what it does not have must say why.
func TestLive(t *testing.T) {
	if err := attach.Permitted(); err != nil {
		t.Skip(err)
	}
	r, err := Run(context.Background(), Options{Rounds: 1, Batch: 200 * time.Microsecond, Dir: t.TempDir(), Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	if want := len(table()) * len(Works()); len(r.Figures) != want {
		t.Errorf("%d figures, want %d", len(r.Figures), want)
	}
	kinds := map[string]kind{}
	for _, k := range table() {
		kinds[k.name] = k
	}
	measured := 0
	for _, f := range r.Figures {
		t.Run(string(f.Work)+"/"+f.Kind, func(t *testing.T) {
			if f.Unavailable != "" {
				if strings.TrimSpace(f.Unavailable) == "" || f.Rank != 0 {
					t.Errorf("unavailable without a reason, or ranked: %+v", f)
				}
				t.Skip(f.Unavailable)
			}
			measured++
			check(t, kinds[f.Kind], f)
		})
	}
	if measured < len(Works()) {
		t.Errorf("only %d were measured", measured)
	}
}

func check(t *testing.T, k kind, f Figure) {
	if f.Rank != 0 || f.Rounds != 1 || f.Untraced.Median <= 0 || f.Traced.Median <= 0 {
		t.Errorf("not measured: %+v", f)
	}
	if k.mech == nothing {
		return
	}
	switch runs := f.Runs; {
	case runs.Calls == 0:
		t.Errorf("no calls: %+v", runs)
	// On a busy machine a task may be preempted in the program of a system call's
	// tracepoint (Linux 6.13): others skip it then, which the kernel counts.
	case runs.Lost() > 0 && (runs.Recursion == nil || *runs.Recursion < runs.Lost()):
		t.Errorf("ran %d times of %d", runs.Ran, runs.Calls)
	// The kernel's count has the calls of other processes.
	case runs.Ran > runs.Calls && (!runs.ByKernel && unix.InitialPIDs() || k.user()):
		t.Errorf("ran %d times, called %d times", runs.Ran, runs.Calls)
	}
}

// TestUnknown: names that are not there are errors.
func TestUnknown(t *testing.T) {
	if err := attach.Permitted(); err != nil {
		t.Skip(err)
	}
	if _, err := Run(context.Background(), Options{Kinds: []string{"kprob"}}); err == nil || !strings.Contains(err.Error(), "kprob") {
		t.Error(err)
	}
	cpu := 1 << 20
	if _, err := Run(context.Background(), Options{CPU: &cpu}); err == nil || !strings.Contains(err.Error(), "1048576") {
		t.Error(err)
	}
}

// TestWorkload: every hit of a command is seen, by every mechanism.
func TestWorkload(t *testing.T) {
	if err := attach.Permitted(); err != nil {
		t.Skip(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	hit, err := hitOffset()
	if err != nil {
		t.Fatal(err)
	}
	const hits = 5000
	w := Workload{Hook: "hit", Command: []string{program, "-hits", strconv.Itoa(hits)}, Hits: hits}
	plans := []attach.Plan{{Path: program, Probes: []attach.Probe{{Offset: hit}}}}
	r, err := RunWorkload(t.Context(), w, plans, Options{Rounds: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Figures {
		switch {
		case f.Kind == "nothing" && f.Rounds == 2 && f.Runs.Calls == 0:
		case f.Unavailable != "":
			t.Logf("%s: %s", f.Kind, f.Unavailable)
		case f.Kind == "nothing" || f.Runs.Calls != 2*hits || f.Runs.Ran != 2*hits || f.Cost.Median <= 0 || f.Untraced.Median <= 0:
			t.Errorf("%+v", f)
		}
	}
	if len(r.Figures) != 3 || r.Figures[1].Unavailable != "" {
		t.Errorf("figures: %+v", r.Figures)
	}
	w.Hits = 0
	if _, err := RunWorkload(t.Context(), w, plans, Options{}); err == nil {
		t.Error("a command without hits was measured")
	}
	w.Hits, w.Command = 1, []string{"/bin/false"}
	if _, err := RunWorkload(t.Context(), w, plans, Options{Rounds: 1}); err == nil || !strings.Contains(err.Error(), "/bin/false") {
		t.Errorf("a command that fails: %v", err)
	}
}

// hitOffset is where hit is in the file of this program.
func hitOffset() (uint64, error) {
	at := uint64(reflect.ValueOf(hit).Pointer())
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(maps)) {
		var low, high, offset uint64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s %x", &low, &high, &mode, &offset); n == 4 && low <= at && at < high {
			return at - low + offset, nil
		}
	}
	return 0, fmt.Errorf("nothing is mapped at %#x", at)
}

//go:noinline
func hit(n int) int { return n + 1 }

func TestMain(m *testing.M) {
	hits := flag.Int("hits", -1, "call hit this often and do nothing else")
	flag.Parse()
	if *hits < 0 {
		os.Exit(m.Run())
	}
	sum := 0
	for i := range *hits {
		sum += hit(i)
	}
	if sum == 1 {
		os.Exit(1)
	}
}
