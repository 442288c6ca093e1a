package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// field checks a field of an event (SH133).
func (r *reader) field(c *kcontext) error {
	e, ok, err := c.event(c.hook.Module, c.name)
	if err != nil || !ok {
		return err // that there is none is another rule's
	}
	switch r.at.Source {
	case bpfobj.FromArg:
		return r.fieldAt(e)
	case bpfobj.FromName:
	default:
		return nil
	}
	if strings.HasPrefix(r.at.Name, "common_") {
		return nil
	}
	i := slices.IndexFunc(e.Fields, func(f kernel.Field) bool { return f.Name == r.at.Name })
	if i < 0 {
		var near []string
		for _, f := range e.Fields {
			if hook.Distance(f.Name, r.at.Name) <= max(len(r.at.Name)/3, 1) {
				near = append(near, "it has "+f.Type+" "+f.Name)
			}
		}
		r.say(SH133, Error, near, "the event %s:%s has no field %s here", e.System, e.Name, r.at.Name)
		return nil
	}
	return r.members(fieldType(e.Fields[i].Type), "")
}

var pointerField = regexp.MustCompile(`^(?:const )?((?:struct|union) \w+) ?\*+$`)

// fieldType is the type of a field that points to a struct; "" of others,
// whose members nobody reads.
func fieldType(text string) kernel.Type {
	m := pointerField.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return kernel.Type("*" + prefixed(m[1]))
}

// raw checks an argument of a raw tracepoint.
func (r *reader) raw(c *kcontext) error {
	point, known, ok, err := c.member.raw(c.name)
	if err != nil || !ok {
		return err
	}
	if !known {
		r.unclear("the arguments of "+c.name, c.Missing(kernel.RawArgs))
		return nil
	}
	if r.at.Source == bpfobj.FromArg && r.at.Index >= len(point.Params) {
		r.say(SH131, Error, []string{"here: " + kernel.Proto{Params: point.Params, Result: "0"}.C(c.name)},
			"the raw tracepoint %s has no argument %d: it passes %s", c.name, r.at.Index, fmt.Sprint(len(point.Params)))
		return nil
	}
	return r.parameter(c, []kernel.Proto{{Params: point.Params, Result: "0"}})
}
