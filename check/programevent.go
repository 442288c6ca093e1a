package check

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// commonFields is how many bytes every event's record begins with
// (struct trace_entry).
const commonFields = 8

// eventReads: the program reads an event's record where the kernel has
// something else (SH119).
func eventReads(c *kcontext) ([]kfinding, error) {
	if c.kind != hook.Tracepoint || c.Missing(kernel.Tracepoints) != "" {
		return nil, nil
	}
	e, ok, err := c.event(c.hook.Module, c.name)
	if err != nil || !ok || len(e.Fields) == 0 {
		return nil, err
	}
	t, err := c.trace(c.program)
	if err != nil {
		return nil, err
	}
	var out []kfinding
	seen := map[string]bool{}
	for _, r := range t.Reads {
		if r.Relo != nil || r.Offset < commonFields {
			continue // what is relocated is SH116's
		}
		f, found, err := c.eventRead(e, r)
		if err != nil {
			return nil, err
		}
		if !found || seen[f.Message] {
			continue
		}
		seen[f.Message] = true
		f.Function = c.name
		f.Evidence = append(f.Evidence, "here: "+record(e), at(r.Where, r.Line))
		unless(&f, r.Unless)
		out = append(out, f)
	}
	return out, nil
}

// eventRead judges one read of a record.
func (c *kcontext) eventRead(e kernel.Tracepoint, r bpfobj.ContextRead) (f kfinding, found bool, err error) {
	f.reason = reasonChanged
	last := e.Fields[len(e.Fields)-1]
	if end := int(last.Offset + last.Size); r.Offset+r.Size > end {
		// perf_event_set_bpf_prog compares the program's largest offset with it.
		f.reason, f.plain = reasonRefusedProgram, blocks
		f.Message = fmt.Sprintf("the program reads byte %d of %s:%s, whose record has %d bytes in this kernel: it cannot be attached", r.Offset+r.Size-1, e.System, e.Name, end)
		return f, true, nil
	}
	meant, err := c.meant(e, r)
	if err != nil {
		return f, false, err
	}
	for _, d := range e.Fields {
		if r.Offset < int(d.Offset) || r.Offset >= int(d.Offset+d.Size) {
			continue
		}
		switch {
		case meant != "" && meant != d.Name:
			f.Message = fmt.Sprintf("the program reads %s of %s:%s at byte %d, where this kernel has %s", meant, e.System, e.Name, r.Offset, d.Name)
			for _, o := range e.Fields {
				if o.Name == meant {
					f.Remedy = fmt.Sprintf("read it at byte %d there, or through struct trace_event_raw_%s of vmlinux.h, which loaders relocate", o.Offset, e.Name)
				}
			}
			return f, true, nil
		case r.Offset+r.Size > int(d.Offset+d.Size):
			f.Message = fmt.Sprintf("the program reads %d bytes at byte %d of %s:%s, where %s has %d", r.Size, r.Offset, e.System, e.Name, d.Name, int(d.Offset+d.Size)-r.Offset)
			return f, true, nil
		}
		return f, false, nil
	}
	f.Message = fmt.Sprintf("the program reads byte %d of %s:%s, where this kernel has no field", r.Offset, e.System, e.Name)
	return f, true, nil
}

// meant is the field that a program means by an offset: by its own struct, or
// what the first kernel asked for has there; "" if that is not known.
func (c *kcontext) meant(e kernel.Tracepoint, r bpfobj.ContextRead) (string, error) {
	if e.System == "syscalls" { // whose arguments have names of their own in each event
		return "", nil
	}
	if name, ok := strings.CutPrefix(string(c.program.Context), "*s:"); ok {
		defs, err := c.program.Definitions(name)
		if err != nil {
			return "", err
		}
		for _, d := range defs {
			for _, m := range d.Members {
				if m.Offset == 8*uint64(r.Offset) && m.Name != "" {
					return strings.TrimPrefix(m.Name, "__data_loc_"), nil
				}
			}
		}
	}
	first := c.fleet.asked[0]
	if first == c.member || first.Missing(kernel.Tracepoints) != "" {
		return "", nil
	}
	there, ok, err := first.event(e.System, e.Name)
	if err != nil || !ok {
		return "", err
	}
	for _, d := range there.Fields {
		if int(d.Offset) == r.Offset {
			return d.Name, nil
		}
	}
	return "", nil
}

// record lists an event's fields with their places.
func record(e kernel.Tracepoint) string {
	var parts []string
	for _, d := range e.Fields {
		parts = append(parts, fmt.Sprintf("%s at %d", d.Name, d.Offset))
	}
	return strings.Join(parts, ", ")
}
