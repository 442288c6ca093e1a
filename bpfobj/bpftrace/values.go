package bpftrace

import (
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/bpfobj"
)

// root is where a value comes from.
type root uint8

const (
	nothing  root = iota // a number, a string: it has no members
	unclear              // something with members that are not known
	typed                // memory taken for the type name
	context              // args itself
	argument             // argN
	byName               // args.name
	returned             // retval
)

// value is what is known of a value: where it comes from, and which members
// were read on the way.
type value struct {
	root  root
	name  string // of typed and byName
	index int    // of argument
	path  []string
}

func opaque() value { return value{root: unclear} }

// follow is what a pointer points to.
func (v value) follow() value { return v }

// element is an element of an array, or what is behind a pointer.
func (v value) element() value {
	if len(v.path) > 0 {
		v.path = append(slices.Clone(v.path), "[]")
	}
	return v
}

// state is what the parser learns.
type state struct {
	points    []point
	predicate bool             // a predicate is read: a slash may end it
	vars      map[string]value // of the probe
	maps      map[string]value // of the script
	reads     []bpfobj.Access  // of the probe
	lost      []bpfobj.Skipped // of the probe: reads whose type is not known

	programs []bpfobj.Program
	skipped  []bpfobj.Skipped
	idle     []string // probes that hook nothing
	missing  string   // what config says of missing_probes
	cParts
}

// set notes what a variable or map holds. What it held first counts: bpftrace
// does not allow another type. Values that only mean something in this probe
// are nothing in others.
func (s *state) set(name string, v value) {
	into := s.vars
	if strings.HasPrefix(name, "@") {
		into = s.maps
		if v.root != typed && v.root != nothing {
			v = opaque()
		}
	}
	if old, ok := into[name]; !ok || old.root == nothing {
		into[name] = v
	}
}

func (s *state) variable(name string) value { return s.vars[name] }

// begin starts a probe, or the body of a macro with no points.
func (s *state) begin(points []point, _ *parser) {
	s.points, s.vars, s.reads, s.lost = points, map[string]value{}, nil, nil
}

// macro notes that what stands in a macro is not looked at where it is used.
func (s *state) macro(name string, p *parser, at int) {
	line, column := place(p.src, at)
	s.skipped = append(s.skipped, bpfobj.Skipped{
		What: "macro " + name, Where: strconv.Itoa(line) + ":" + strconv.Itoa(column), Why: "what it reads depends on where it is used",
	})
}

// note adds a read of the probe.
func (s *state) note(v value, as string, p *parser, at int) {
	r := bpfobj.Access{As: as, Path: v.path, Name: v.name, Index: v.index}
	r.Line, r.Column = place(p.src, at)
	switch v.root {
	case typed:
		r.Source = bpfobj.FromType
		if len(v.path) == 0 {
			return
		}
	case argument:
		r.Source = bpfobj.FromArg
	case byName:
		r.Source = bpfobj.FromName
	case returned:
		r.Source = bpfobj.FromReturn
	default:
		return
	}
	s.reads = append(s.reads, r)
}

// member reads a member of a value.
func (s *state) member(v value, name string, p *parser, at int) value {
	switch v.root {
	case context:
		v = value{root: byName, name: strings.TrimPrefix(name, "data_loc_")}
	case typed, byName, returned:
		v.path = append(slices.Clone(v.path), name)
	default:
		line, column := place(p.src, at)
		s.lost = append(s.lost, bpfobj.Skipped{
			What: "member " + name, Where: strconv.Itoa(line) + ":" + strconv.Itoa(column), Why: "it is not known what type the value has",
		})
		return opaque()
	}
	s.note(v, "", p, at)
	return v
}

// cast takes a value for a type.
func (s *state) cast(v value, t typeName, p *parser, at int) value {
	switch v.root {
	case argument, byName, returned:
		s.note(v, t.String(), p, at)
	}
	out := t.value()
	if out.root == nothing && t.pointers == 0 {
		out = v // a number of another width is still where it came from
	}
	return out
}

// builtin is the value of a name.
func (s *state) builtin(name string, p *parser, at int) value {
	v := value{}
	switch {
	case name == "args":
		return value{root: context}
	case name == "retval":
		v = value{root: returned}
	case name == "curtask":
		return value{root: typed, name: "struct task_struct"}
	case name == "ctx":
		return opaque()
	case strings.HasPrefix(name, "arg"):
		n, err := strconv.ParseUint(name[len("arg"):], 10, 8)
		if err != nil || len(name) > len("arg")+3 {
			return v
		}
		v = value{root: argument, index: int(n)}
	default:
		return v
	}
	s.note(v, "", p, at)
	return v
}

// register is a read of reg("name").
func (s *state) register(name string, p *parser, at int) {
	r := bpfobj.Access{Source: bpfobj.FromRegister, Name: name}
	r.Line, r.Column = place(p.src, at)
	s.reads = append(s.reads, r)
}

// finish makes a program of the probe.
func (s *state) finish() {
	s.skipped = append(s.skipped, s.lost...)
	prog := program(s.points)
	if prog.Reads = pruned(s.reads); len(prog.Hooks) == 0 && prog.HookNotKnown == "" && len(prog.Reads) == 0 {
		s.idle = append(s.idle, prog.Name)
		return
	}
	s.anyOf(&prog)
	s.programs = append(s.programs, prog)
}

// anyOf says what becomes of a probe some of whose functions are nowhere:
// bpftrace went on with the others until it got the option missing_probes,
// whose value is "error" since 0.24 (bpftrace pull request 4097).
func (s *state) anyOf(prog *bpfobj.Program) {
	switch s.missing {
	case "":
		prog.AnyOfWhen = "before bpftrace 0.24"
	case "error":
		prog.AnyOf = false
	}
	if !prog.AnyOf {
		prog.AnyOfWhen = ""
	}
}

// pruned leaves out reads that are steps on the way to another one, and those
// that are there twice.
func pruned(reads []bpfobj.Access) []bpfobj.Access {
	var out []bpfobj.Access
	for i, r := range reads {
		if !slices.ContainsFunc(reads[i+1:], func(later bpfobj.Access) bool { return covers(later, r) }) &&
			!slices.ContainsFunc(out, func(earlier bpfobj.Access) bool { return covers(earlier, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// covers tells whether whoever checks a has checked b.
func covers(a, b bpfobj.Access) bool {
	if a.Source != b.Source || a.Name != b.Name || a.Index != b.Index || len(a.Path) < len(b.Path) {
		return false
	}
	return slices.Equal(a.Path[:len(b.Path)], b.Path) && (b.As == "" || a.As == b.As && len(a.Path) == len(b.Path))
}
