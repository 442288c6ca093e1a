package bpftrace

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
)

func errorsAs(err error, target **hook.SyntaxError) bool { return errors.As(err, target) }

func where(p bpfobj.Place) string { return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) }

// Read reads a script; path stands for it in the result and in errors. A
// script that is no script of bpftrace gives a *SyntaxError.
func Read(src []byte, path string) (f *bpfobj.File, err error) {
	if len(src) > maxSize {
		return nil, &SyntaxError{path, 1, 1, fmt.Sprintf("%d bytes, more than the %d that are read", len(src), maxSize)}
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			f, err = nil, r.err
		default:
			panic(r)
		}
	}()
	maps := map[string]value{}
	for range 2 { // the second time it is known what maps hold
		p := &parser{lexer: lexer{path: path, src: string(src)}, state: state{maps: maps}}
		p.script()
		f = &bpfobj.File{Path: path, Kind: bpfobj.Script, Programs: p.state.programs, Skipped: append(p.state.skipped, p.state.notes()...)}
		f.Own = p.state.own()
	}
	return f, nil
}

// cParts is what a script gives to clang: includes and definitions, with the
// conditions they stand under.
type cParts struct {
	nested  []condition
	defined []string // "struct nameidata", where the kernel has BTF too
	headers []include
}

// condition is one #if.
type condition struct{ takenWithBTF, takenWithout bool }

type include struct {
	name    string
	withBTF bool
	at      int
}

// taken tells whether the text here counts on kernels with BTF. What an
// unknown condition says is taken to hold.
func (c *cParts) taken() bool {
	return !slices.ContainsFunc(c.nested, func(d condition) bool { return !d.takenWithBTF })
}

var directiveForm = regexp.MustCompile(`^#\s*(\w+)\s*(.*?)\s*$`)

func (s *state) directive(line string, p *parser) {
	m := directiveForm.FindStringSubmatch(line)
	if m == nil {
		return
	}
	const btf = "BPFTRACE_HAVE_BTF"
	last := len(s.nested) - 1
	switch m[1] {
	case "ifdef", "ifndef", "if":
		c := condition{true, true}
		if strings.Contains(m[2], btf) {
			negated := m[1] == "ifndef" || strings.HasPrefix(m[2], "!")
			c = condition{takenWithBTF: !negated, takenWithout: negated}
		}
		s.nested = append(s.nested, c)
	case "else":
		if last >= 0 && s.nested[last].takenWithBTF != s.nested[last].takenWithout {
			s.nested[last] = condition{!s.nested[last].takenWithBTF, !s.nested[last].takenWithout}
		}
	case "endif":
		if last >= 0 {
			s.nested = s.nested[:last]
		}
	case "include":
		s.headers = append(s.headers, include{strings.Trim(m[2], `"<>`), s.taken(), p.at})
	}
}

// define notes a struct that the script defines.
func (s *state) define(name string) {
	if s.taken() {
		s.defined = append(s.defined, name)
	}
}

func (s *state) end(*parser) {}

// own are the types that do not come from the kernel's BTF.
func (s *state) own() []string { return slices.Compact(slices.Sorted(slices.Values(s.defined))) }

// kernelHeader tells whether a header is one of the kernel, not of a C library.
func kernelHeader(name string) bool {
	first, _, ok := strings.Cut(name, "/")
	return ok && slices.Contains([]string{"linux", "net", "asm", "asm-generic", "uapi", "trace", "crypto", "scsi", "rdma", "kernel"}, first)
}

// notes says what of the script depends on more than the kernel.
func (s *state) notes() []bpfobj.Skipped {
	var out []bpfobj.Skipped
	if len(s.idle) > 0 {
		out = append(out, bpfobj.Skipped{What: "probes " + strings.Join(s.idle, ", "), Why: "timers, counters, or the script itself: they hook nothing"})
	}
	for _, h := range s.headers {
		if h.withBTF && kernelHeader(h.name) {
			out = append(out, bpfobj.Skipped{
				What: "header " + h.name, Why: "the script takes layouts from the headers installed for the kernel; they are checked against the kernel's own types",
			})
		}
	}
	return out
}
