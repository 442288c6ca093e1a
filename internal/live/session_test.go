package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// fake is an attach.Session whose probes count by their file offset.
type fake struct {
	plans    []attach.Plan
	hits     map[uint64]uint64
	events   []attach.Event
	failures []attach.Failure
	lost     uint64
	detached bool
}

func (f *fake) Counts() ([][]uint64, error) {
	var out [][]uint64
	for _, p := range f.plans {
		var row []uint64
		for _, probe := range p.Probes {
			row = append(row, f.hits[probe.Offset])
		}
		out = append(out, row)
	}
	return out, nil
}

func (f *fake) Undecided() ([][]uint64, error) {
	var out [][]uint64
	for _, p := range f.plans {
		out = append(out, make([]uint64, len(p.Probes)))
	}
	return out, nil
}

func (f *fake) Read(ctx context.Context) (attach.Event, error) {
	if len(f.events) == 0 {
		return attach.Event{}, io.EOF
	}
	e := f.events[0]
	f.events = f.events[1:]
	return e, nil
}

func (f *fake) Lost() (uint64, error)      { return f.lost, nil }
func (f *fake) Strayed() (uint64, error)   { return 0, nil }
func (f *fake) Failures() []attach.Failure { return f.failures }
func (f *fake) Unverified() []int          { return nil }
func (f *fake) Detach() error              { f.detached = true; return nil }
func (f *fake) Close() error               { return f.Detach() }

// example is a function with a body, an inlined copy, and a plain probe that
// sits elsewhere.
func example() []sites.Result {
	return []sites.Result{{
		Hook: hook.Hook{Kind: hook.Uprobe, Target: "./prog", Function: "add"}, Function: "add",
		Target: sites.Target{Path: "/opt/prog"}, PlainAt: []uint64{0x99},
		Sites: []sites.Site{{Kind: sites.Entry, FileOffset: 0x10}, {Kind: sites.Inlined, FileOffset: 0x20}},
	}}
}

func opening(f *fake) opener {
	return func(plans []attach.Plan, o attach.Options) (prober, error) {
		f.plans = plans
		return f, nil
	}
}

func TestCounts(t *testing.T) {
	f := &fake{
		hits:     map[uint64]uint64{0x10: 2, 0x20: 11, 0x99: 5},
		failures: []attach.Failure{{Plan: 0, Probe: 1, Err: errors.New("refused")}, {Plan: 0, Probe: 2, Err: errors.New("plain only")}},
	}
	s, err := open(example(), Options{BestEffort: true}, opening(f))
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if c := counts[0]; c.Executions != 13 || c.Failed != 1 || c.PlainKnown {
		t.Errorf("%+v", c)
	}
	if s.Probes() != 3 {
		t.Errorf("%d probes", s.Probes())
	}
	failures := s.Failures()
	if len(failures) != 1 || failures[0].Site.FileOffset != 0x20 || failures[0].Result.Function != "add" {
		t.Errorf("%+v", failures)
	}
}

func TestExecutions(t *testing.T) {
	f := &fake{events: []attach.Event{{PID: 7, Comm: "prog", Probe: 1, Undecided: true}, {Probe: 2}, {PID: 8, Probe: 0}}}
	s, err := open(example(), Options{Events: true}, opening(f))
	if err != nil {
		t.Fatal(err)
	}
	var got []Execution
	err = s.Executions(context.Background(), func(x Execution) error { got = append(got, x); return nil })
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no monotonic clock on this system")
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Site.Kind != sites.Inlined || !got[0].Undecided || got[1].PID != 8 || got[1].Site.Kind != sites.Entry {
		t.Errorf("hits of the plain probe alone are no executions: %+v", got)
	}
}

// TestPlainRefused: a comparison that cannot be had does not stop the trace.
func TestPlainRefused(t *testing.T) {
	f := &fake{hits: map[uint64]uint64{0x10: 1}}
	calls := 0
	s, err := open(example(), Options{}, func(plans []attach.Plan, o attach.Options) (prober, error) {
		if calls++; calls == 1 {
			return nil, &attach.ProbeError{Path: "/opt/prog", Offset: 0x99, Probe: 2, Reason: "no", Err: attach.ErrHazard}
		}
		return opening(f)(plans, o)
	})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.Counts()
	if err != nil || counts[0].PlainKnown || counts[0].Executions != 1 || s.Probes() != 2 {
		t.Errorf("%+v, %v", counts, err)
	}
}

// TestScope: a family where the kernel can, less where it says that it cannot.
func TestScope(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name     string
		opts     Options
		cannot   int // attempts that are not supported
		failure  error
		want     Scope
		attempts int
	}{
		{"everyone", Options{}, 0, nil, Everyone, 1},
		{"process", Options{PID: 7}, 0, nil, Process, 1},
		{"family", Options{PID: 7, Children: true}, 0, nil, Family, 1},
		{"no children", Options{PID: 7, Children: true}, 1, nil, Process, 2},
		{"no process either", Options{PID: 7, Children: true}, 2, nil, Everyone, 3},
		{"nothing at all", Options{PID: 7, Children: true}, 3, attach.ErrNotSupported, 0, 3},
		{"asked for one process", Options{PID: 7}, 1, attach.ErrNotSupported, 0, 1},
		{"another reason", Options{PID: 7, Children: true}, 0, broken, 0, 1},
	}
	for _, tt := range tests {
		attempts := 0
		s, err := open(example(), tt.opts, func(plans []attach.Plan, o attach.Options) (prober, error) {
			if attempts++; attempts <= tt.cannot {
				return nil, fmt.Errorf("kernel: %w", attach.ErrNotSupported)
			}
			if tt.failure != nil {
				return nil, tt.failure
			}
			if scopeOf(o) != tt.want {
				t.Errorf("%s: attached with %+v", tt.name, o)
			}
			return &fake{plans: plans}, nil
		})
		if !errors.Is(err, tt.failure) || attempts != tt.attempts {
			t.Errorf("%s: %v after %d attempts", tt.name, err, attempts)
		}
		if err == nil && s.Scope() != tt.want {
			t.Errorf("%s: scope %d, want %d", tt.name, s.Scope(), tt.want)
		}
	}
}

func TestRefusedProbeNamesItsFunction(t *testing.T) {
	_, err := open(example(), Options{}, func([]attach.Plan, attach.Options) (prober, error) {
		return nil, &attach.ProbeError{Path: "/opt/prog", Offset: 0x20, Probe: 1, Reason: "no", Err: attach.ErrHazard}
	})
	if err == nil || !errors.Is(err, attach.ErrHazard) || !strings.HasPrefix(err.Error(), "add: ") || !strings.Contains(err.Error(), "--best-effort") {
		t.Error(err)
	}
	_, err = open(example(), Options{}, func([]attach.Plan, attach.Options) (prober, error) { return nil, attach.ErrNotPermitted })
	if err != attach.ErrNotPermitted {
		t.Error(err)
	}
}

func TestForeignArchitecture(t *testing.T) {
	results := example()
	results[0].Target.Arch = elfbin.ARM64
	if results[0].Target.Arch.String() == runtime.GOARCH {
		results[0].Target.Arch = elfbin.AMD64
	}
	_, err := Open(results, Options{})
	if e := (*ArchError)(nil); !errors.As(err, &e) || e.Path != "/opt/prog" {
		t.Error(err)
	}
}
