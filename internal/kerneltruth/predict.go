package kerneltruth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// Prediction is what check says of a plain probe: whether it attaches.
type Prediction struct {
	Attempt
	Class    Class
	Attaches kernel.Answer
	Why      string // the first reason, if it does not attach or that is not known
	Got      string // the guest's error, "" if it attached
	Done     bool   // the guest has tried
}

// Right tells whether the prediction came true.
func (p *Prediction) Right() bool { return (p.Attaches == kernel.Yes) == (p.Got == "") }

// kinds of hooks that each function is tried with.
func kinds() []hook.Kind { return []hook.Kind{hook.Kprobe, hook.Kretprobe, hook.Fentry} }

// Predict asks check about hooks of every function, and about events and LSM
// hooks.
func Predict(k kernel.Kernel, functions []Chosen, events []Attempt) ([]Prediction, error) {
	fleet := check.NewFleet([]kernel.Kernel{k}, nil)
	var out []Prediction
	add := func(a Attempt, class Class) error {
		h, err := hook.Parse(a.Hook)
		if err != nil {
			return err
		}
		results, _ := fleet.Check(h)
		if err := results[0].Err; err != nil {
			return err
		}
		out = append(out, prediction(a, class, results[0]))
		return nil
	}
	for _, f := range functions {
		for _, kind := range kinds() {
			if err := add(Attempt{Hook: string(kind) + ":" + f.Name, Kind: string(kind), Name: f.Name}, f.Class); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range events {
		if err := add(e, Class(e.Kind)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func prediction(a Attempt, class Class, r check.KernelResult) Prediction {
	p := Prediction{Attempt: a, Class: class}
	// An unknown or partial verdict is one of its executions: it attaches unless
	// that is what is not known.
	p.Attaches = kernel.Is(r.Verdict.Plain != sites.None)
	for _, reason := range r.Plain {
		if p.Attaches == kernel.Yes && check.AttachNotKnown(reason.Code) {
			p.Attaches = kernel.NotKnown
		}
	}
	// Programs on hooks of a security module that is not active attach, and are
	// never run.
	if slices.ContainsFunc(r.Findings, func(f check.Finding) bool { return f.Rule == check.SH113 }) && len(r.Findings) == 1 {
		p.Attaches = kernel.Yes
	}
	if len(r.Plain) > 0 && p.Attaches != kernel.Yes {
		p.Why = r.Plain[0].Text
	}
	return p
}

// Try attaches all in the kernel and notes what became of each.
func Try(ctx context.Context, vm vmtest.Kernel, guest string, list []Prediction) error {
	attempts := make([]Attempt, len(list))
	for i := range list {
		attempts[i] = list[i].Attempt
	}
	data, err := json.Marshal(attempts)
	if err != nil {
		return err
	}
	out, err := vm.Run(ctx, vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/vmhooks", From: guest}, {Name: AttemptsFile, Data: data}},
		// A loaded host is late with the timer that the kernel checks.
		Cmdline: []string{"lsm=landlock,bpf", "no_timer_check"},
		Steps:   []vmtest.Step{{Args: []string{"/bin/vmhooks"}, Seconds: 600}},
		Collect: []string{TriedFile},
	})
	if err != nil {
		return err
	}
	if d := out.Steps[0]; d.Exit != 0 {
		return fmt.Errorf("the guest: exit %d %s: %s", d.Exit, d.Error, d.Stderr)
	}
	var tried []Tried
	if err := json.Unmarshal(out.Files[TriedFile], &tried); err != nil {
		return err
	}
	if len(tried) != len(list) {
		return fmt.Errorf("the guest tried %d of %d hooks", len(tried), len(list))
	}
	for i := range tried {
		list[i].Got, list[i].Done = tried[i].Error, true
	}
	return nil
}
