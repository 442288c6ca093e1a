package check

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
)

// shaped checks that a value is like what it is read as (SH132); nil if it is,
// or if its type is not known.
func (r *reader) shaped(what string, t kernel.Type) (func() error, error) {
	if r.at.Shape.Kind == bpfobj.AnyShape {
		return nil, nil
	}
	bare, err := core.Plain(r, t)
	if err != nil || bare == "" {
		return nil, err
	}
	wrong := func(severity Severity, why string) func() error {
		return func() error {
			r.say(SH132, severity, nil, "%s is read as %s, and is %s here%s", what, r.wanted(), t.C(""), why)
			return nil
		}
	}
	switch pointer := strings.HasPrefix(string(bare), "*"); r.at.Shape.Kind {
	case bpfobj.Number:
		return r.numeric(bare, wrong)
	case bpfobj.Text:
		if !pointer {
			return wrong(Error, ""), nil
		}
		to, err := core.Plain(r, plainPointer(bare))
		size, err2 := core.Size(r, to)
		if err != nil || err2 != nil || to == "" || to == "0" || strings.HasPrefix(string(to), "i:") && size == 1 {
			return nil, firstOf(err, err2)
		}
		return wrong(Error, ""), nil
	case bpfobj.Buffer:
		switch {
		case !pointer:
			return wrong(Error, ""), nil
		case structOf(string(plainPointer(bare))) != "":
			return wrong(Warning, ": what is read are the bytes of the struct"), nil
		}
	}
	return nil, nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// wanted names the shape.
func (r *reader) wanted() string {
	switch s := r.at.Shape; s.Kind {
	case bpfobj.Text:
		return "a string"
	case bpfobj.Buffer:
		return "a buffer"
	case bpfobj.DataLoc:
		return "text at the end of the record (data_loc)"
	case bpfobj.Number:
		if s.Bytes > 0 {
			return fmt.Sprintf("a number of %s", counted(s.Bytes, "byte"))
		}
	}
	return "a number"
}

// registerBytes is how much of a narrow argument compilers extend to in
// practice, though the calling conventions leave it open.
const registerBytes = 4

// numeric checks a number's width.
func (r *reader) numeric(bare kernel.Type, wrong func(Severity, string) func() error) (func() error, error) {
	want := uint64(r.at.Shape.Bytes)
	size, err := core.Size(r, bare)
	switch {
	case err != nil || size == 0:
		return nil, err
	case strings.HasPrefix(string(bare), "*"):
		if want == 0 || want == 8 {
			return nil, nil // its address
		}
		return wrong(Error, ""), nil
	case !strings.HasPrefix(string(bare), "i:") && !strings.HasPrefix(string(bare), "e:") && !strings.HasPrefix(string(bare), "{e") && size > 8:
		return wrong(Error, ""), nil
	case want == 0 || want == size || size < registerBytes && want == registerBytes:
		return nil, nil
	case want > size && len(r.at.Path) > 0:
		return wrong(Error, ": what stands behind it is read too"), nil
	case want > size:
		return wrong(Warning, ": what else is in the register is not defined"), nil
	}
	return wrong(Warning, ": the upper bytes are not read"), nil
}
