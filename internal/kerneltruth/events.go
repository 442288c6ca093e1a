package kerneltruth

import (
	"math/rand/v2"
	"slices"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// perKind is how many events of each kind are tried, half of them of another
// kernel.
const perKind = 24

// ChooseEvents takes tracepoints, raw tracepoints and LSM hooks by the seed:
// the kernel's and another's, which it may not have.
func ChooseEvents(k, other kernel.Kernel) ([]Attempt, error) {
	modular, err := ofModules(k)
	if err != nil {
		return nil, err
	}
	var out []Attempt
	for _, from := range []kernel.Kernel{k, other} {
		lists, err := attempts(from)
		if err != nil {
			return nil, err
		}
		for i, list := range lists {
			list = slices.DeleteFunc(list, func(a Attempt) bool { return modular[i][a.Hook] })
			r := rand.New(rand.NewPCG(Seed, uint64(i)))
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			out = append(out, list[:min(perKind/2, len(list))]...)
		}
	}
	return out, nil
}

// ofModules are the hooks, by kind, that a kernel has in modules. They are not
// loaded where is tried; another kernel may have them built in.
func ofModules(k kernel.Kernel) ([3]map[string]bool, error) {
	out := [3]map[string]bool{{}, {}, {}}
	events, err := k.Tracepoints()
	if err != nil {
		return out, err
	}
	for _, t := range events {
		if t.Module != "" {
			out[0]["tracepoint:"+t.System+":"+t.Name] = true
		}
	}
	raws, err := k.RawTracepoints()
	for _, r := range raws {
		if r.Module != "" {
			out[1]["rawtracepoint:"+r.Name] = true
		}
	}
	return out, err
}

// attempts lists all hooks of a kernel that are no functions, by kind. Those of
// modules are left out: they are not loaded.
func attempts(k kernel.Kernel) ([3][]Attempt, error) {
	var out [3][]Attempt
	events, err := k.Tracepoints()
	if err != nil {
		return out, err
	}
	for _, t := range events {
		if t.Module == "" {
			out[0] = append(out[0], Attempt{Hook: "tracepoint:" + t.System + ":" + t.Name, Kind: string(hook.Tracepoint), System: t.System, Name: t.Name})
		}
	}
	raws, err := k.RawTracepoints()
	if err != nil {
		return out, err
	}
	for _, r := range raws {
		if r.Module == "" {
			out[1] = append(out[1], Attempt{Hook: "rawtracepoint:" + r.Name, Kind: string(hook.RawTracepoint), Name: r.Name})
		}
	}
	hooks, err := k.LSMHooks()
	if err != nil {
		return out, err
	}
	for _, h := range hooks {
		out[2] = append(out[2], Attempt{Hook: "lsm:" + h.Name, Kind: string(hook.LSM), Name: h.Name})
	}
	return out, nil
}
