package misses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/running"
)

// Cause is why a program may miss executions, from what is attached now.
type Cause struct {
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

// Reason is all that may make a program miss executions.
type Reason struct {
	Program uint32
	Causes  []Cause // most telling first
	Instead string  // the way out; "" if none is known
}

// Clues are what the reasons are found by.
type Clues struct {
	// Fleet has the running kernel alone, with the calls inside it; nil if they
	// are not known, for NoCalls.
	Fleet   *check.Fleet
	NoCalls string
	// Calls are what programs call, by number.
	Calls map[uint32][]string
	// Categories are those of tracepoints, by name: the kernel does not tell
	// them of links.
	Categories map[string]string
	// Kprobes are the lines of /sys/kernel/debug/kprobes/list, by function.
	Kprobes map[string]string
}

// Why finds reasons for the programs that have missed executions.
func Why(inv *running.Inventory, programs []Program, c Clues) ([]Reason, error) {
	var out []Reason
	for i := range programs {
		if programs[i].Total.N == 0 {
			continue
		}
		r, err := c.reason(inv, &programs[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (c *Clues) reason(inv *running.Inventory, p *Program) (Reason, error) {
	r := Reason{Program: p.ID}
	busy := 0
	var outers []check.Part
	for _, a := range inv.Attachments {
		if a.Program == p.ID {
			continue
		}
		if excludes(kindOf(a)) {
			busy++
		}
		for _, at := range first(a.Places) {
			outers = append(outers, check.Part{Hook: c.hook(at), Calls: c.calls(a.Program)})
		}
	}
	for _, a := range inv.Attachments {
		if a.Program != p.ID {
			continue
		}
		for _, at := range first(a.Places) {
			if err := c.nested(&r, check.Part{Hook: c.hook(at), Calls: c.calls(p.ID)}, outers); err != nil {
				return r, err
			}
			r.Causes = append(r.Causes, c.kprobe(at, a.Missed)...)
			if alone(at.Kind) && p.Self.N > 0 {
				r.Causes = append(r.Causes, Cause{Text: "its hook was reached while it ran itself: what it calls, or an interrupt, leads back there"})
			}
		}
	}
	if p.Self.N > 0 && busy > 0 {
		r.Causes = append(r.Causes, Cause{Text: fmt.Sprintf("another program ran on the CPU: %d attachments of kprobes, tracepoints and perf events exclude each other there", busy)})
	}
	if c.Fleet == nil {
		r.Causes = append(r.Causes, Cause{Text: "which hooks nest is not known: " + c.NoCalls})
	}
	if len(r.Causes) == 0 {
		r.Causes = append(r.Causes, Cause{Text: "nothing that is attached now is known to cause it: it may be gone, or be an interrupt"})
	}
	return r, nil
}

// nested adds what check says of a hook inside of others' programs.
func (c *Clues) nested(r *Reason, inner check.Part, outers []check.Part) error {
	if c.Fleet == nil {
		return nil
	}
	found, err := c.Fleet.Inside(inner, outers)
	if err != nil {
		return err
	}
	slices.SortStableFunc(found, func(a, b check.Finding) int { return strings.Compare(string(a.Rule), string(b.Rule)) })
	for _, f := range found {
		r.Causes = append(r.Causes, Cause{Text: fmt.Sprintf("%s (%s)", f.Message, f.Rule), Evidence: f.Evidence})
		r.Instead = f.Remedy
	}
	return nil
}

// kprobe says what of a kprobe itself makes it miss.
func (c *Clues) kprobe(at running.Place, missed running.Counter) []Cause {
	if missed.N == 0 || !linked(at.Kind) {
		return nil
	}
	var out []Cause
	if at.Kind == hook.Kretprobe {
		out = append(out, Cause{Text: "more calls were under way than the kretprobe has room for (maxactive, twice the number of CPUs or 10), or it was hit inside of another kprobe"})
	}
	switch line := c.Kprobes[at.Name]; {
	case at.Kind == hook.KprobeMulti || at.Kind == hook.KretprobeMulti:
	case strings.Contains(line, "[FTRACE]"):
		out = append(out, Cause{Text: "it is done by ftrace: interrupts come while its program runs, and kprobes in them are skipped", Evidence: []string{line}})
	case strings.Contains(line, "[OPTIMIZED]"):
		out = append(out, Cause{Text: "it is optimized to a jump: interrupts come while its program runs, and kprobes in them are skipped", Evidence: []string{line}})
	case line != "":
		out = append(out, Cause{Text: "it is a breakpoint, whose handling takes long: what hits another kprobe meanwhile is skipped", Evidence: []string{line}})
	}
	return out
}

func (c *Clues) calls(program uint32) []string {
	if list, ok := c.Calls[program]; ok {
		return append([]string{}, list...) // known, if there are none
	}
	return nil
}

// alone tells whether programs of hooks of the kind are kept out of themselves
// only.
func alone(kind hook.Kind) bool {
	return kind == hook.Fentry || kind == hook.Fexit || kind == hook.RawTracepoint
}

// excludes tells whether programs of hooks of the kind keep others off the CPU.
func excludes(kind hook.Kind) bool { return linked(kind) || kind == hook.Tracepoint }

// first bounds the places that are looked at: those of one link are alike.
func first(places []running.Place) []running.Place { return places[:min(len(places), maxPlaces)] }

// hook spells a place as a hook.
func (c *Clues) hook(p running.Place) hook.Hook {
	h := hook.Hook{Kind: p.Kind, Function: p.Name, Module: p.Module, Offset: p.Offset, HasOffset: p.Offset != 0}
	if p.Kind.User() {
		h.Target, h.Address, h.HasAddress, h.Offset, h.HasOffset = p.File.Path, p.Offset, true, 0, false
	}
	if p.Kind == hook.Tracepoint && h.Module == "" {
		h.Module = c.Categories[p.Name]
	}
	return h
}

// Categories are the categories of events, by name; one that several have is
// left out.
func Categories(events []kernel.Tracepoint) map[string]string {
	out, several := map[string]string{}, map[string]bool{}
	for _, e := range events {
		if s, ok := out[e.Name]; ok && s != e.System {
			several[e.Name] = true
		}
		out[e.Name] = e.System
	}
	for name := range several {
		delete(out, name)
	}
	return out
}
