//go:build linux && (amd64 || arm64)

package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/attach"
)

// TestLive measures everything shortly. What this kernel has must have run at
// each call, and what it does not have must say why.
func TestLive(t *testing.T) {
	if err := attach.Permitted(); err != nil {
		t.Skip(err)
	}
	r, err := Run(context.Background(), Options{Rounds: 1, Batch: 200 * time.Microsecond, Dir: t.TempDir()})
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
	case runs.Lost() > 0:
		t.Errorf("ran %d times of %d", runs.Ran, runs.Calls)
	// The kernel's count has the calls of other processes.
	case runs.Ran > runs.Calls && (!runs.ByKernel || k.user()):
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
