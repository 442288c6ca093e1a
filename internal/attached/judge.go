package attached

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/running"
)

// maxKernelPlaces is how many places in the kernel are judged of one program:
// tools put one program on all functions.
const maxKernelPlaces = 100

// Judge judges what an Inventory lists.
type Judge struct {
	Files  *target.Analyzer
	Kernel kernel.Kernel // the running one; nil if it cannot be asked
	Fleet  *check.Fleet  // of Kernel; nil without
}

// All judges every program; not nil. What went wrong besides is given to skip.
func (j *Judge) All(inv *running.Inventory, skip func(subject string, err error)) []report.Attached {
	out := []report.Attached{}
	for i := range inv.Programs {
		out = append(out, j.program(inv, &inv.Programs[i], skip))
	}
	return out
}

func (j *Judge) program(inv *running.Inventory, p *running.Program, skip func(string, error)) report.Attached {
	out := report.Attached{ID: p.ID, Name: p.Name, Type: string(p.Type), Pins: slices.Clone(p.Pins)}
	out.Owners = owners(nil, p.Holders)
	var places []running.Place
	for _, a := range inv.Attachments {
		if a.Program != p.ID {
			continue
		}
		out.Ways = append(out.Ways, report.Way{Mechanism: string(a.Mechanism), Link: a.Link, PID: a.PID})
		out.Owners = owners(out.Owners, a.Owners)
		out.Pins = append(out.Pins, a.Pins...)
		if a.NotKnown != "" {
			out.NotKnown = append(out.NotKnown, fmt.Sprintf("%s %d: %s", a.Mechanism, a.Link, a.NotKnown))
		}
		places = append(places, a.Places...)
	}
	if len(out.Ways) == 0 {
		out.NotKnown = append(out.NotKnown, nowhere(p))
	}
	origin := out.Origin()
	for _, g := range running.ByFile(places) {
		found, err := j.onFile(g, p, origin)
		if err != nil {
			out.NotKnown = append(out.NotKnown, err.Error())
		}
		out.Functions = append(out.Functions, found...)
	}
	j.onKernel(&out, places, skip)
	return out
}

// nowhere says why it is not known where a program is attached.
func nowhere(p *running.Program) string {
	switch p.Type {
	case running.PerfEvent:
		return "the kernel does not tell where programs of counters and timers run"
	case running.Tracing, running.LSM:
		return "it is loaded and no link runs it"
	}
	return "it is loaded, and no link and no perf event of a process that could be looked at runs it; another program may call it (a tail call)"
}

// owners adds processes that are not there yet.
func owners(list []report.Owner, more []running.Owner) []report.Owner {
	for _, o := range more {
		if x := (report.Owner{PID: o.PID, Comm: o.Comm}); !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// onKernel judges the places in the kernel.
func (j *Judge) onKernel(out *report.Attached, places []running.Place, skip func(string, error)) {
	var seen []hook.Hook
	rest := 0
	for _, p := range places {
		if p.Kind.User() {
			continue
		}
		h, why := j.hookOf(p)
		switch {
		case why != "":
			if !slices.Contains(out.NotKnown, why) {
				out.NotKnown = append(out.NotKnown, why)
			}
			continue
		case slices.Contains(seen, h):
			continue
		case len(seen) == maxKernelPlaces:
			rest++
			continue
		}
		seen = append(seen, h)
		o := report.OnKernels{Hook: h}
		o.Results, o.Alternatives = j.Fleet.Check(h)
		for i := range o.Results {
			r := &o.Results[i]
			if r.Err != nil {
				skip(h.String(), r.Err)
			}
			r.Verdict.Origin = out.Origin()
			for k := range r.Findings {
				r.Findings[k].Origin = out.Origin()
			}
		}
		out.OnKernel = append(out.OnKernel, o)
	}
	if rest > 0 {
		out.NotKnown = append(out.NotKnown, fmt.Sprintf("%d further places in the kernel are not judged, after %d", rest, maxKernelPlaces))
	}
}

// hookOf is a place in the kernel as a hook, or why that cannot be told.
func (j *Judge) hookOf(p running.Place) (hook.Hook, string) {
	h := hook.Hook{Kind: p.Kind, Function: p.Name, Module: p.Module}
	switch {
	case j.Fleet == nil:
		return h, "what the probes in the kernel see: the running kernel cannot be asked"
	case p.Name == "":
		return h, fmt.Sprintf("%s at %#x: no symbol of the kernel is there", p.Kind, p.Address)
	case p.Kind == hook.Tracepoint:
		return j.event(h)
	case p.Kind == hook.RawTracepoint, p.Kind == hook.LSM:
		h.Module = ""
	case p.Offset != 0 && (p.Kind == hook.Kprobe || p.Kind == hook.Kretprobe):
		h.Offset, h.HasOffset = p.Offset, true
	}
	return h, ""
}

// event finds the category of an event: the kernel tells its name only.
func (j *Judge) event(h hook.Hook) (hook.Hook, string) {
	list, err := j.Kernel.Tracepoints()
	if why := j.Kernel.Missing(kernel.Tracepoints); err != nil || why != "" {
		if err != nil {
			why = err.Error()
		}
		return h, fmt.Sprintf("tracepoint %s: its category: %s", h.Function, why)
	}
	var systems []string
	for _, e := range list {
		if e.Name == h.Function {
			systems = append(systems, e.System)
		}
	}
	switch len(systems) {
	case 1:
		h.Module = systems[0]
		return h, ""
	case 0:
		return h, fmt.Sprintf("tracepoint %s: no category of the running kernel has it now", h.Function)
	}
	return h, fmt.Sprintf("tracepoint %s: the kernel does not tell its category, and %s have one", h.Function, strings.Join(systems, ", "))
}
