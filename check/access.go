package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
)

// Accesses checks what a program reads on every kernel asked for, in their
// order: arguments and fields against what the hook has there, members against
// the kernel's types. own are types that the program brings with it. Place in
// the findings is that of the access. The zero hook stands for none: then
// only types and registers are looked at.
func (f *Fleet) Accesses(h hook.Hook, list []bpfobj.Access, own []string) ([][]Finding, error) {
	var out [][]Finding
	for _, m := range f.asked {
		r := reader{member: m, fleet: f, hook: h, own: own}
		if h.Kind != "" && !h.Kind.User() {
			contexts, err := f.contexts(h, m)
			if err != nil {
				return nil, fmt.Errorf("kernel %s: %w", m.id.Name, err)
			}
			r.contexts = contexts
		}
		for _, a := range list {
			if err := r.access(a); err != nil {
				return nil, fmt.Errorf("kernel %s: %w", m.id.Name, err)
			}
		}
		out = append(out, r.found)
	}
	return out, nil
}

// maxAlike is how many functions a glob may match whose arguments are looked
// at: "lookup_fast.constprop.*" matches one or two, "vfs_*" 90.
const maxAlike = 20

// reader checks the accesses of one hook on one kernel.
type reader struct {
	*member
	fleet    *Fleet
	hook     hook.Hook
	own      []string
	contexts []*kcontext // of the functions or events that the hook names
	at       bpfobj.Access
	found    []Finding
}

// say adds a finding about the access.
func (r *reader) say(rule Code, severity Severity, evidence []string, format string, args ...any) {
	full, _ := Find(string(rule))
	f := Finding{
		Rule: rule, Severity: severity, Hook: r.hook, Function: r.hook.Function, Kernel: r.id.Name, Message: fmt.Sprintf(format, args...),
		Evidence: evidence, Remedy: full.Remedy, Origin: Origin{Where: r.at.Where, Line: r.at.Line, Column: r.at.Column},
	}
	if f.Origin.Where == "" && r.at.Line > 0 {
		f.Origin.Where = fmt.Sprintf("%d:%d", r.at.Line, r.at.Column)
	}
	if !slices.ContainsFunc(r.found, func(g Finding) bool { return g.Rule == rule && g.Message == f.Message && g.Origin == f.Origin }) {
		r.found = append(r.found, f)
	}
}

func (r *reader) access(a bpfobj.Access) error {
	r.at = a
	switch a.Source {
	case bpfobj.FromRegister:
		r.register()
		return nil
	case bpfobj.FromType:
		return r.members(kernel.Type(prefixed(a.Name)), a.Name)
	}
	if h := r.hook; h.Glob() && h.Kind != hook.Tracepoint && len(r.contexts) > maxAlike {
		r.unclear("functions that match "+h.Function, fmt.Sprintf("there are %d", len(r.contexts)))
		return nil
	}
	for _, c := range r.contexts {
		if err := r.value(c); err != nil {
			return err
		}
	}
	return nil
}

// value checks an argument, a field or a result of one function or event.
func (r *reader) value(c *kcontext) error {
	switch c.hook.Kind {
	case hook.Ksyscall:
		return r.syscallArg(c)
	case hook.Kretsyscall:
		return nil // every system call returns a long
	}
	switch c.kind {
	case hook.Tracepoint:
		return r.field(c)
	case hook.RawTracepoint:
		return r.raw(c)
	case hook.LSM:
		l, ok, err := c.lsmHook(c.name)
		if err != nil || !ok {
			return err // that there is none is another rule's
		}
		return r.parameter(c, []kernel.Proto{l.Proto})
	}
	if !c.known || !c.there() {
		return nil
	}
	if len(c.function.Protos) == 0 {
		r.unclear("the arguments of "+c.name, cmp.Or(c.Missing(kernel.Signatures), "no signature of it is recorded"))
		return nil
	}
	if err := r.parameter(c, c.function.Protos); err != nil {
		return err
	}
	r.registers(c)
	return nil
}

// unclear says that something cannot be checked.
func (r *reader) unclear(what, why string) {
	r.say(SH134, Info, []string{why}, "%s: what the program reads of it cannot be checked", what)
}

// parameter checks an argument or result against signatures. Functions of one
// name may have several: what one of them allows is not called wrong.
func (r *reader) parameter(c *kcontext, protos []kernel.Proto) error {
	var wrong []func() error
	for _, p := range protos {
		t, problem := r.typeOf(c, p)
		if problem != nil {
			wrong = append(wrong, problem)
			continue
		}
		bad, err := r.taken(c.name, t)
		if err == nil && bad == nil && len(r.at.Path) == 0 {
			bad, err = r.shaped(r.what()+" of "+c.name, t)
		}
		if err != nil {
			return err
		}
		if bad == nil {
			return r.members(t, "")
		}
		wrong = append(wrong, bad)
	}
	if len(wrong) == len(protos) && len(wrong) > 0 {
		return wrong[0]()
	}
	return nil
}

// typeOf gives the type of what is read, or what to say if it is not there.
func (r *reader) typeOf(c *kcontext, p kernel.Proto) (kernel.Type, func() error) {
	here := []string{"here: " + p.C(c.name)}
	problem := func(format string, args ...any) func() error {
		return func() error {
			r.say(SH131, Error, here, format, args...)
			return nil
		}
	}
	switch r.at.Source {
	case bpfobj.FromReturn:
		if p.Result == "0" {
			return "", problem("%s returns nothing: what is read as its result is what was left in the register", c.name)
		}
		return p.Result, nil
	case bpfobj.FromName:
		for _, q := range p.Params {
			if q.Name == r.at.Name {
				return q.Type, nil
			}
		}
		if !slices.ContainsFunc(p.Params, func(q kernel.Param) bool { return q.Name != "" }) && len(p.Params) > 0 {
			return "", func() error { r.unclear("the arguments of "+c.name, "their names are not recorded"); return nil }
		}
		return "", problem("%s has no argument %s", c.name, r.at.Name)
	}
	if r.at.Index >= len(p.Params) {
		if p.Variadic {
			return "", func() error {
				r.unclear(fmt.Sprintf("arg%d of %s", r.at.Index, c.name), "it takes more arguments than its signature names")
				return nil
			}
		}
		return "", problem("%s has no arg%d: it takes %s, and what is read is what was left in the register", c.name, r.at.Index, counted(len(p.Params), "argument"))
	}
	return p.Params[r.at.Index].Type, nil
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// taken checks what a value is taken for (SH132); nil if it may be.
func (r *reader) taken(function string, t kernel.Type) (func() error, error) {
	if r.at.As == "" || !strings.Contains(r.at.As, "*") {
		return nil, nil
	}
	want := structOf(prefixed(strings.TrimSpace(strings.TrimRight(r.at.As, " *"))))
	have := structOf(string(plainPointer(t)))
	wrong := func() error {
		r.say(SH132, Error, nil, "%s of %s is taken for %s, and is %s here", r.what(), function, r.at.As, t.C(""))
		return nil
	}
	if want == "" || have == "" {
		if narrow, err := r.narrow(t); err != nil || narrow {
			return wrong, err
		}
		return nil, nil // void *, a long: it may hold anything
	}
	for _, pair := range [][2]string{{want, have}, {have, want}} {
		begins, err := core.Begins(r, kernel.Type(pair[0]), kernel.Type(pair[1]))
		if err != nil || begins != kernel.No { // not known: not called wrong
			return nil, err
		}
	}
	return wrong, nil
}

// narrow tells whether a value is a number that holds no pointer.
func (r *reader) narrow(t kernel.Type) (bool, error) {
	bare, err := core.Plain(r, t)
	if err != nil || !strings.HasPrefix(string(bare), "i:") && !strings.HasPrefix(string(bare), "e:") {
		return false, err
	}
	size, err := core.Size(r, bare)
	return size > 0 && size < 8, err
}

// what names what is read.
func (r *reader) what() string {
	switch r.at.Source {
	case bpfobj.FromReturn:
		return "the result"
	case bpfobj.FromName:
		return r.at.Name
	case bpfobj.FromType:
		return r.at.Name
	}
	return fmt.Sprintf("arg%d", r.at.Index)
}

// structOf gives "s:sock" of a struct's or union's type, "" of others.
func structOf(t string) string {
	t = strings.TrimLeft(t, "cvr")
	if strings.HasPrefix(t, "s:") || strings.HasPrefix(t, "u:") {
		return t
	}
	return ""
}

// plainPointer takes the pointer off; "" of what is none.
func plainPointer(t kernel.Type) kernel.Type {
	t = kernel.Type(strings.TrimLeft(string(t), "cvr"))
	if !strings.HasPrefix(string(t), "*") {
		return ""
	}
	return t[1:]
}

// prefixed is a type's name in C as package kernel writes types.
func prefixed(name string) string {
	for word, prefix := range map[string]string{"struct ": "s:", "union ": "u:", "enum ": "e:"} {
		if rest, ok := strings.CutPrefix(name, word); ok {
			return prefix + rest
		}
	}
	return "t:" + name
}

// members checks the members that are read, one after the other (SH133). root
// names the type where they begin, "" for a value's own.
func (r *reader) members(t kernel.Type, root string) error {
	if slices.Contains(r.own, root) && root != "" {
		r.unclear(root, "the program brings its own definition")
		return nil
	}
	if len(r.at.Path) == 0 || t == "" {
		return nil
	}
	if why := r.Missing(kernel.Types); why != "" {
		r.unclear("a member of "+cmp.Or(root, t.C("")), why)
		return nil
	}
	w, err := core.Walk(r, t, r.at.Path)
	if err != nil {
		return err
	}
	last := w.Types[len(w.Types)-1]
	at := last.C("")
	if len(w.Types) == 1 {
		at = cmp.Or(root, at)
	}
	switch {
	case w.Found == kernel.NotKnown && len(w.Types) == 1 && root != "":
		return r.noType(root)
	case w.Found == kernel.NotKnown:
		r.unclear(last.C(""), "its definition is not there")
		return nil
	case w.Found == kernel.No && r.at.Path[len(w.Types)-1] == core.Element:
		return nil // an element of what is only a number: its loader's business
	case w.Found == kernel.No:
		return r.noMember(last, r.at.Path[len(w.Types)-1], at)
	}
	bad, err := r.shaped(strings.Join(r.at.Path, ".")+" of "+r.what(), last)
	if err == nil && bad != nil {
		err = bad()
	}
	return err
}

// noType says that a struct is not in the kernel.
func (r *reader) noType(name string) error {
	if why := r.Missing(kernel.Modules); why != "" {
		r.unclear(name, "it may be in a module: "+why)
		return nil
	}
	r.say(SH133, Error, nil, "there is no %s in this kernel", name)
	return nil
}

func (r *reader) noMember(t kernel.Type, name, where string) error {
	e, err := r.near(t, name)
	if err != nil {
		return err
	}
	r.say(SH133, Error, e, "%s has no member %s in this kernel", strings.TrimRight(where, " *"), name)
	return nil
}

// near names members that are like one that is not there.
func (r *reader) near(t kernel.Type, name string) ([]string, error) {
	text := structOf(strings.TrimLeft(string(t), "*cvr"))
	if text == "" {
		return nil, nil
	}
	defs, err := r.Definitions(text[2:])
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range defs {
		for _, m := range d.Members {
			same := strings.TrimLeft(m.Name, "_") == strings.TrimLeft(name, "_")
			if m.Name != "" && (same || hook.Distance(m.Name, name) <= max(len(name)/4, 1)) {
				out = append(out, "it has "+m.Type.C(m.Name))
			}
		}
	}
	return out, nil
}
