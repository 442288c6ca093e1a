package check

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/kernel"
)

// commonCount are the fields that every event's record begins with: tetragon
// counts them too.
const commonCount = 4

// fieldAt checks a field of an event that is named by its place.
func (r *reader) fieldAt(e kernel.Tracepoint) error {
	i := r.at.Index - commonCount
	if i < 0 {
		return nil
	}
	if i >= len(e.Fields) {
		r.say(SH131, Error, nil, "the event %s:%s has no field %d: it has %d, with the %d that all events have", e.System, e.Name, r.at.Index, len(e.Fields)+commonCount, commonCount)
		return nil
	}
	return r.fieldShaped(e.System, e.System+":"+e.Name, e.Fields[i])
}

// syscallArg checks an argument of a system call by its event, which has the
// types: the kernel's function takes the registers only.
func (r *reader) syscallArg(c *kcontext) error {
	if r.at.Source != bpfobj.FromArg {
		return nil
	}
	name := c.hook.Function
	if why := c.Missing(kernel.Tracepoints); why != "" {
		r.unclear("the arguments of the system call "+name, why)
		return nil
	}
	e, ok, err := c.event("syscalls", "sys_enter_"+name)
	if err != nil {
		return err
	}
	if !ok {
		if c.known && c.there() { // that there is none is another rule's
			r.unclear("the arguments of the system call "+name, "it has no event that names them")
		}
		return nil
	}
	// The first field is the number of the call.
	if r.at.Index+1 >= len(e.Fields) {
		r.say(SH131, Error, nil, "the system call %s has no arg%d: it takes %s", name, r.at.Index, counted(max(len(e.Fields)-1, 0), "argument"))
		return nil
	}
	return r.fieldShaped(e.System, "the system call "+name, e.Fields[r.at.Index+1])
}

// fieldShaped checks what a field is read as (SH132).
func (r *reader) fieldShaped(system, of string, f kernel.Field) error {
	wrong := func(severity Severity, why string) error {
		want := r.at.As
		if want == "" {
			want = r.wanted()
		}
		r.say(SH132, severity, nil, "field %s of %s is read as %s, and is %s here%s", f.Name, of, want, f.Type, why)
		return nil
	}
	// Records of system calls have 8 bytes for every argument.
	wide := system == "syscalls"
	pointer, array := strings.HasSuffix(f.Type, "*"), strings.HasSuffix(f.Type, "]")
	located := strings.HasPrefix(f.Type, "__data_loc")
	switch shape := r.at.Shape; {
	case r.at.As != "":
		t := fieldType(strings.ReplaceAll(f.Type, "__user ", ""))
		switch {
		case t != "":
			bad, err := r.taken(of, t)
			if err == nil && bad != nil {
				err = wrong(Error, "")
			}
			return err
		case !pointer && (wide || f.Size != 8):
			return wrong(Error, "")
		}
	case shape.Kind == bpfobj.DataLoc:
		if !located {
			return wrong(Error, "")
		}
	case shape.Kind == bpfobj.Text, shape.Kind == bpfobj.Buffer:
		if !pointer && !array || located {
			return wrong(Error, "")
		}
	case shape.Kind == bpfobj.Number:
		switch want := uint64(shape.Bytes); {
		case located || array || pointer && want != 0 && want != 8:
			return wrong(Error, "")
		case want > f.Size:
			return wrong(Error, fmt.Sprintf(" in %s: the next field is read too", counted(int(f.Size), "byte")))
		case want < f.Size && want != 0 && !wide:
			return wrong(Warning, ": the upper bytes are not read")
		}
	}
	return nil
}
