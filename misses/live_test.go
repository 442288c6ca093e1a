//go:build linux && (amd64 || arm64)

package misses

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/surehook/surehook/hook"
	nest "github.com/surehook/surehook/internal/nesting"
	"github.com/surehook/surehook/kernel"
)

func root(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("attaching needs root")
	}
}

// TestSelfTest asks the running kernel. What holds of all kernels is checked;
// what each does differs (docs/misses.md).
func TestSelfTest(t *testing.T) {
	root(t)
	a, err := SelfTest()
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := a.Find(hook.RawTracepoint)
	if raw.Reason != "" {
		t.Skip(raw.Reason)
	}
	for _, k := range a.Kinds {
		if (k.Reason == "") != (len(k.Trials) > 0) {
			t.Errorf("%s: reason %q, %d trials", k.Kind, k.Reason, len(k.Trials))
		}
		for _, n := range k.Trials {
			t.Logf("%s inside %s: %+v", k.Kind, n.Kind, n)
			if k.Kind == hook.RawTracepoint && (n.Kind != Itself && n.Lost() != 0 || !n.Observed()) {
				t.Errorf("a raw tracepoint inside %s: %+v", n.Kind, n)
			}
		}
	}
	tp, _ := a.Find(hook.Tracepoint)
	if tp.Reason == "" && tp.Skipped() != kernel.Yes {
		t.Error("no tracepoint was skipped; every kernel skips one inside of another")
	}
}

// TestSampler compares what is said of programs with what they count
// themselves, while they are attached.
func TestSampler(t *testing.T) {
	root(t)
	a, err := SelfTest()
	if err != nil {
		t.Fatal(err)
	}
	sampler := NewSampler(a)
	before, err := sampler.Read()
	if err != nil {
		t.Fatal(err)
	}
	look := func(outer nest.Attached, inner []nest.Attached) error {
		for range 2 { // the second sample reads the counters only
			s, err := sampler.Read()
			if err != nil {
				return err
			}
			found := 0
			for _, p := range s.Programs {
				for i, x := range append([]nest.Attached{outer}, inner...) {
					if p.ID != x.Program {
						continue
					}
					found++
					lost := uint64(calls) - min(x.Ran, calls)
					t.Logf("%s: lost %d; %s", x.Hook, lost, p.Total)
					switch {
					case p.Total.Known == Exact && p.Total.N != lost:
						t.Errorf("%s: lost %d, %d said to be missed", x.Hook, lost, p.Total.N)
					case p.Total.Known == AtLeast && p.Total.N > lost:
						t.Errorf("%s: lost %d, at least %d said to be missed", x.Hook, lost, p.Total.N)
					case lost > 0 && p.Total.Known == NotKnown:
						t.Errorf("%s: lost %d, which is not known", x.Hook, lost)
					}
					if i > 0 && len(p.Owners) == 0 {
						t.Errorf("%s: nobody holds it", x.Hook)
					}
				}
			}
			if found != 1+len(inner) {
				t.Errorf("%d of %d programs in the sample", found, 1+len(inner))
			}
			if rates := Rates(before, s); rates[outer.Program].Known {
				t.Error("a rate of a program that was not in the first sample")
			}
		}
		return nil
	}
	_, err = nest.Run(nest.Trial{
		Outer: hook.Hook{Kind: hook.Tracepoint, Module: "task", Function: "task_rename"}, Action: nest.Print, Calls: calls, Look: look,
		Inner: []hook.Hook{{Kind: hook.Tracepoint, Module: "bpf_trace", Function: printk}, {Kind: hook.RawTracepoint, Function: printk}},
	})
	var refused *nest.AttachError
	if errors.As(err, &refused) {
		t.Skip(refused)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCalls reads the helpers of the programs of a nesting.
func TestCalls(t *testing.T) {
	root(t)
	look := func(outer nest.Attached, inner []nest.Attached) error {
		calls, err := Calls([]Program{{ID: outer.Program}, {ID: inner[0].Program}})
		if err != nil {
			t.Skip(err)
		}
		if !slices.Contains(calls[outer.Program], printk) || slices.Contains(calls[inner[0].Program], printk) {
			t.Errorf("outer %q, inner %q; the outer one prints", calls[outer.Program], calls[inner[0].Program])
		}
		t.Log(calls)
		return nil
	}
	_, err := nest.Run(nest.Trial{
		Outer: hook.Hook{Kind: hook.RawTracepoint, Function: "task_rename"}, Action: nest.Print | nest.Update, Calls: 1, Look: look,
		Inner: []hook.Hook{{Kind: hook.RawTracepoint, Function: printk}},
	})
	if err != nil {
		t.Skip(err)
	}
}
