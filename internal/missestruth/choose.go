package missestruth

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/nesting"
	"github.com/surehook/surehook/kernel"
)

// Seed of the choice. It was fixed before the first run.
const Seed = 20261130

// pairs is how many are chosen: half of functions that an outer program's
// helpers lead to, half of those that the work itself leads to.
const pairs = 30

// Prediction is an attempt and what check says of it.
type Prediction struct {
	Attempt
	Nesting check.Nesting
	// May: check says that it may be starved, seldom or from an interrupt.
	May bool
}

// Starved tells whether check says that the inner program is not run, each time
// or under a condition.
func (p *Prediction) Starved() bool {
	return p.Nesting.Fires == kernel.Yes && !p.Nesting.Unlikely && p.Nesting.Skipped == kernel.Yes
}

// Surely tells whether check says that it is not run each time.
func (p *Prediction) Surely() bool { return p.Starved() && p.Nesting.Made == kernel.Always }

// UnlessFails tells whether check says that it is not run unless what the outer
// program calls fails.
func (p *Prediction) UnlessFails() bool {
	return p.Starved() && p.Nesting.Made == kernel.UnlessFails
}

// action is what an outer program can do, and what it calls: helpers, and those
// functions of its hash map that the verifier puts in their place.
type action struct {
	does  nesting.Action
	calls []string
}

func actions() []action {
	return []action{
		{nesting.Print, []string{"bpf_trace_printk"}},
		{nesting.Update, []string{"htab_map_update_elem", "htab_map_delete_elem"}},
		{nesting.Stack, []string{"bpf_get_stack"}},
		{nesting.Output, []string{"bpf_ringbuf_output"}},
	}
}

// Choose takes pairs of hooks of a kernel by the seed and asks check about them.
func Choose(k kernel.Kernel, arch string) ([]Prediction, error) {
	getpgid := map[string]string{"amd64": "__x64_sys_getpgid", "arm64": "__arm64_sys_getpgid"}[arch]
	prctl := map[string]string{"amd64": "__x64_sys_prctl", "arm64": "__arm64_sys_prctl"}[arch]
	outers := []string{
		"kprobe:" + getpgid, "kretprobe:" + getpgid, "kprobe.multi:" + getpgid, "fentry:" + getpgid,
		"tracepoint:task:task_rename", "tracepoint:syscalls:sys_enter_getpgid", "rawtracepoint:task_rename", "lsm:task_getpgid",
	}
	inners := []string{"kprobe", "kretprobe", "kprobe.multi", "tracepoint"}
	f := check.NewFleet([]kernel.Kernel{k}, nil)
	r := rand.New(rand.NewPCG(Seed, 0))
	work, err := reached(f, k, getpgid, prctl)
	if err != nil {
		return nil, err
	}
	led := map[int]places{}
	for i, a := range actions() {
		if led[i], err = reached(f, k, a.calls...); err != nil {
			return nil, err
		}
	}
	var out []Prediction
	for len(out) < pairs {
		i := r.IntN(len(actions()))
		from := led[i]
		if len(out)%2 == 1 {
			from = work
		}
		at := Attempt{Outer: outers[r.IntN(len(outers))], Action: uint32(actions()[i].does), Calls: calls}
		inner, reference, ok := from.pick(inners[r.IntN(len(inners))], r)
		if !ok || slices.ContainsFunc(out, func(p Prediction) bool { return p.Outer == at.Outer && p.Inner == inner && p.Action == at.Action }) {
			continue
		}
		at.Inner, at.Reference = inner, reference
		p, err := predict(f, at, actions()[i].calls)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Predict asks check about attempts whose outer program does one of the actions.
func Predict(k kernel.Kernel, list []Attempt) ([]Prediction, error) {
	f := check.NewFleet([]kernel.Kernel{k}, nil)
	var out []Prediction
	for _, a := range list {
		i := slices.IndexFunc(actions(), func(x action) bool { return uint32(x.does) == a.Action })
		if i < 0 {
			return nil, fmt.Errorf("action %d is not known", a.Action)
		}
		p, err := predict(f, a, actions()[i].calls)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func predict(f *check.Fleet, a Attempt, helpers []string) (Prediction, error) {
	p := Prediction{Attempt: a}
	outer, err := hook.Parse(a.Outer)
	if err != nil {
		return p, err
	}
	inner, err := hook.Parse(a.Inner)
	if err != nil {
		return p, err
	}
	parts := []check.Part{{Hook: outer, Calls: helpers}, {Hook: inner, Calls: []string{}}}
	list, err := f.Together(parts)
	if err != nil {
		return p, err
	}
	found, err := f.Starving(parts)
	p.Nesting = list[0]
	p.May = slices.ContainsFunc(found, func(f check.Finding) bool { return f.Hook == inner && (f.Rule == check.SH602 || f.Rule == check.SH603) })
	return p, err
}

// places are what hooks can be put on.
type places struct {
	functions []string
	events    []kernel.Tracepoint
}

// reached are those of the functions that names lead to that take a kprobe, and
// an fentry program to compare it with, and the events among them.
func reached(f *check.Fleet, k kernel.Kernel, names ...string) (places, error) {
	var out places
	symbols, err := f.Reached(k.Identity().Name, names...)
	if err != nil {
		return out, err
	}
	events, err := k.Tracepoints()
	if err != nil {
		return out, err
	}
	for _, y := range symbols {
		for _, e := range events {
			if e.Raw != "" && "__traceiter_"+e.Raw == y && e.Module == "" {
				out.events = append(out.events, e)
			}
		}
		f, ok, err := k.Function(y)
		if err != nil {
			return out, err
		}
		if ok && f.Name == y && len(f.Symbols) == 1 && f.Symbols[0].Traceable == kernel.Yes && f.Symbols[0].Refused != kernel.Yes && f.BTF == kernel.Yes {
			out.functions = append(out.functions, y)
		}
	}
	return out, nil
}

// pick takes a hook of a kind and one of the same place that is never skipped.
func (p *places) pick(kind string, r *rand.Rand) (inner, reference string, ok bool) {
	if kind == "tracepoint" {
		if len(p.events) == 0 {
			return "", "", false
		}
		e := p.events[r.IntN(len(p.events))]
		return "tracepoint:" + e.System + ":" + e.Name, "rawtracepoint:" + e.Raw, true
	}
	if len(p.functions) == 0 {
		return "", "", false
	}
	name := p.functions[r.IntN(len(p.functions))]
	return kind + ":" + name, "fentry:" + name, true
}
