package kernel

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Change is one difference between two kernels.
type Change struct {
	Kind Subject
	Name string
	Was  string // in the first kernel; empty if it is not there
	Is   string // in the second; empty if it is not there
	What string // which property changed: "arguments", "inlining", "fields" ...; empty if it came or went
}

// Subject is a kind of thing that changes.
type Subject string

// The subjects.
const (
	OfFunction   Subject = "function"
	OfTracepoint Subject = "tracepoint"
	OfRaw        Subject = "rawtracepoint"
	OfLSM        Subject = "lsm"
	OfKfunc      Subject = "kfunc"
	OfType       Subject = "type"
	OfConfig     Subject = "config"
)

// Diff gives what differs between two kernels, by subject and name. Only names
// that want accepts are compared; nil accepts all. Topics that one of the two
// does not know are not compared: ask Missing.
func Diff(a, b Kernel, want func(Subject, string) bool) ([]Change, error) {
	if want == nil {
		want = func(Subject, string) bool { return true }
	}
	d := &differ{a: a, b: b, want: want}
	for _, part := range []func() error{d.functions, d.tracepoints, d.raws, d.hooks, d.kfuncs} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(d.out, func(x, y Change) int { return cmp.Compare(x.Kind.order(), y.Kind.order()) })
	return d.out, nil
}

// order is the order of subjects in a report.
func (s Subject) order() int {
	return slices.Index([]Subject{OfFunction, OfTracepoint, OfRaw, OfLSM, OfKfunc, OfType, OfConfig}, s)
}

type differ struct {
	a, b Kernel
	want func(Subject, string) bool
	out  []Change
}

// known tells whether both kernels know a topic.
func (d *differ) known(t Topic) bool { return d.a.Missing(t) == "" && d.b.Missing(t) == "" }

func (d *differ) add(kind Subject, name, was, is, what string) {
	if was != is {
		d.out = append(d.out, Change{kind, name, was, is, what})
	}
}

// functions compares functions of both kernels by source name.
func (d *differ) functions() error {
	if !d.known(Symbols) {
		return nil
	}
	x, err := d.a.Names()
	if err != nil {
		return err
	}
	y, err := d.b.Names()
	if err != nil {
		return err
	}
	for name, in := range merge(x, y) {
		if !d.want(OfFunction, name) {
			continue
		}
		var f, g Function
		if in != second {
			if f, _, err = d.a.Function(name); err != nil {
				return err
			}
		}
		if in != first {
			if g, _, err = d.b.Function(name); err != nil {
				return err
			}
		}
		d.function(name, &f, &g)
	}
	return nil
}

func (d *differ) function(name string, f, g *Function) {
	gone := ""
	if !d.known(Inlining) { // what has no symbol may be inlined
		f.Copies, g.Copies, gone = nil, nil, "no symbol"
	}
	was, is := f.Class(), g.Class()
	switch {
	case was == Absent && is == Absent:
		return
	case (was == Absent || is == Absent) && !d.known(Modules) && inModules(f, g):
		return // the other's modules may have it
	case was == Absent:
		d.add(OfFunction, name, gone, d.describe(g), "")
		return
	case is == Absent:
		d.add(OfFunction, name, d.describe(f), gone, "")
		return
	case d.known(Inlining) || was == CloneOnly || is == CloneOnly:
		if was != is {
			d.add(OfFunction, name, d.describe(f), d.describe(g), "inlining")
		}
	}
	if d.known(Signatures) && len(f.Protos) > 0 && len(g.Protos) > 0 {
		d.add(OfFunction, name, signatures(f), signatures(g), "arguments")
	}
	if len(f.Symbols) > 0 && len(g.Symbols) > 0 {
		d.add(OfFunction, name, strings.Join(modules(f), ", "), strings.Join(modules(g), ", "), "module")
	}
}

// describe says in which forms a function is there.
func (d *differ) describe(f *Function) string {
	c := f.Class()
	switch c {
	case Selective, Full:
		return fmt.Sprintf("%s (%d copies)", c, len(f.Copies))
	case CloneOnly:
		for _, s := range f.Symbols {
			if s.Kind == Clone {
				return fmt.Sprintf("%s (%s)", c, s.Name)
			}
		}
	}
	return c.String()
}

// inModules tells whether all code of the functions is in modules.
func inModules(list ...*Function) bool {
	for _, f := range list {
		if len(f.Copies) > 0 || slices.ContainsFunc(f.Symbols, func(s Symbol) bool { return s.Module == "" }) {
			return false
		}
	}
	return true
}

func signatures(f *Function) string {
	var all []string
	for _, p := range f.Protos {
		all = append(all, p.C(f.Name))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "; ")
}

// modules are where a function's code is.
func modules(f *Function) []string {
	var all []string
	for _, s := range f.Symbols {
		all = append(all, cmp.Or(s.Module, "vmlinux"))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (d *differ) tracepoints() error {
	if !d.known(Tracepoints) {
		return nil
	}
	return compareLists(d, OfTracepoint, Kernel.Tracepoints, func(t Tracepoint) string { return t.System + ":" + t.Name },
		func(t Tracepoint) string { return t.Module },
		func(t Tracepoint) string {
			var fields []string
			for _, f := range t.Fields {
				fields = append(fields, fmt.Sprintf("%s %s at %d", f.Type, f.Name, f.Offset))
			}
			return strings.Join(fields, ", ")
		}, "fields")
}

func (d *differ) raws() error {
	if !d.known(Tracepoints) {
		return nil
	}
	return compareLists(d, OfRaw, Kernel.RawTracepoints, func(t RawTracepoint) string { return t.Name },
		func(t RawTracepoint) string { return t.Module },
		func(t RawTracepoint) string {
			if !d.known(RawArgs) {
				return "arguments not known"
			}
			return Proto{Params: t.Params, Result: "0"}.C(t.Name)
		}, "arguments")
}

func (d *differ) hooks() error {
	if !d.known(LSMHooks) {
		return nil
	}
	return compareLists(d, OfLSM, Kernel.LSMHooks, func(h LSMHook) string { return h.Name },
		func(LSMHook) string { return "" },
		func(h LSMHook) string { return h.Proto.C(h.Name) }, "arguments")
}

func (d *differ) kfuncs() error {
	if !d.known(Kfuncs) {
		return nil
	}
	return compareLists(d, OfKfunc, Kernel.Kfuncs, func(s string) string { return s }, func(string) string { return "" }, func(string) string { return "there" }, "")
}

// compareLists compares what two kernels list. An element that is there but
// has nothing to describe is "there". What modules have is compared only where
// those of both are known.
func compareLists[T any](d *differ, kind Subject, get func(Kernel) ([]T, error), name, module, text func(T) string, what string) error {
	both := [2]map[string]string{{}, {}}
	for i, k := range []Kernel{d.a, d.b} {
		list, err := get(k)
		if err != nil {
			return err
		}
		for _, v := range list {
			if module(v) == "" || d.known(Modules) {
				both[i][name(v)] = cmp.Or(text(v), "there")
			}
		}
	}
	for n, in := range merge(keys(both[0]), keys(both[1])) {
		if !d.want(kind, n) {
			continue
		}
		w := what
		if in != inBoth {
			w = ""
		}
		d.add(kind, n, both[0][n], both[1][n], w)
	}
	return nil
}

// keys gives the keys of m, sorted.
func keys(m map[string]string) iter.Seq[string] {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return slices.Values(all)
}

// side says which of two lists has an element.
type side uint8

const (
	inBoth side = iota
	first
	second
)

// merge goes over two sorted sequences at once.
func merge(a, b iter.Seq[string]) iter.Seq2[string, side] {
	return func(yield func(string, side) bool) {
		next, stop := iter.Pull(b)
		defer stop()
		y, more := next()
		for x := range a {
			for ; more && y < x; y, more = next() {
				if !yield(y, second) {
					return
				}
			}
			in := first
			if more && y == x {
				in = inBoth
				y, more = next()
			}
			if !yield(x, in) {
				return
			}
		}
		for ; more; y, more = next() {
			if !yield(y, second) {
				return
			}
		}
	}
}
