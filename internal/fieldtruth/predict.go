package fieldtruth

import (
	"fmt"
	"path"
	"slices"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Prediction is what check says of a program on a kernel.
type Prediction struct {
	Attempt
	Tool     *Tool
	Kernel   string
	Hook     string
	Attaches kernel.Answer
	Why      string // the first finding that keeps it from being attached, or makes that not known
	Rule     string // the code of that finding
	Got      Tried
	Done     bool
}

// Right tells whether the prediction came true.
func (p *Prediction) Right() bool { return (p.Attaches == kernel.Yes) == (p.Got.Stage == "") }

// Predict asks check about every program of the tools, as it is written and
// where its loader may put it, whatever else its loader does.
func Predict(k kernel.Kernel, tools []Tool) ([]Prediction, error) {
	fleet := check.NewFleet([]kernel.Kernel{k}, nil)
	var out []Prediction
	for i := range tools {
		t := &tools[i]
		if len(t.Objects) != 1 {
			continue // which object a program is of is not known
		}
		for j := range t.File.Programs {
			list, err := predict(fleet, t, &t.File.Programs[j])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Path, err)
			}
			out = append(out, list...)
		}
	}
	for i := range out {
		out[i].Kernel = k.Identity().Name
	}
	return out, nil
}

func predict(fleet *check.Fleet, t *Tool, p *bpfobj.Program) ([]Prediction, error) {
	hooks := slices.DeleteFunc(slices.Clone(p.Hooks), func(h hook.Hook) bool { return h.Kind.User() })
	if len(hooks) == 0 || p.HookNotKnown != "" {
		if slices.ContainsFunc(hooks, func(h hook.Hook) bool { return h.Kind == hook.Fentry || h.Kind == hook.Fexit }) {
			return nil, nil // the kernel asks for its place when it is loaded, and only its loader knows that
		}
		hooks = []hook.Hook{{}} // loading it is all that can be tried
	}
	var out []Prediction
	for _, h := range hooks {
		results, _ := fleet.CheckProgram(p, h)
		r := results[0]
		if r.Err != nil {
			return nil, r.Err
		}
		one := Prediction{
			Attempt: Attempt{Object: t.object(), Program: p.Name, Kind: string(h.Kind), Name: h.Function, System: h.Module},
			Tool:    t, Hook: p.Section, Attaches: r.Attaches,
		}
		if h.Kind != "" {
			one.Hook = h.String()
		}
		one.reason(r)
		out = append(out, one)
	}
	return out, nil
}

// reason notes the finding that decides against the program.
func (p *Prediction) reason(r check.KernelResult) {
	if p.Attaches == kernel.Yes {
		return
	}
	for _, reason := range r.Plain {
		i := slices.IndexFunc(r.Findings, func(f check.Finding) bool { return f.Message == reason.Text })
		if i >= 0 {
			p.Why, p.Rule = reason.Text, string(r.Findings[i].Rule)
			return
		}
	}
}

// modules names the modules of a kernel that have what hooks name.
func modules(k kernel.Kernel, list []Prediction) ([]string, error) {
	events, err := k.Tracepoints()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range list {
		if p.Kind == string(hook.Tracepoint) {
			for _, e := range events {
				if e.System == p.System && e.Name == p.Name {
					out = append(out, e.Module)
				}
			}
			continue
		}
		f, _, err := k.Function(p.Name)
		if err != nil {
			return nil, err
		}
		for _, s := range f.Symbols {
			if s.Name == p.Name {
				out = append(out, s.Module)
			}
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(m string) bool { return m == "" }), nil
}

// object is the file of the tool's object in the guest.
func (t *Tool) object() string {
	return path.Join(objectDir, t.Suite.Name+"-"+t.Suite.Arch+"-"+t.Name+".o")
}
