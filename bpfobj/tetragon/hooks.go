package tetragon

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/yamltree"
)

// kprobe reads an entry of kprobes or fentries: a function, a system call, or
// a list of them; its return is a program of its own.
func (r *reader) kprobe(name string, n *yamltree.Node) {
	enter, exit := hook.Kprobe, hook.Kretprobe
	if strings.HasPrefix(name, "fentries") {
		enter, exit = hook.Fentry, hook.Fexit
	}
	call := n.Get("call")
	if call.String() == "" {
		return // the schema has said so
	}
	names, why := r.calls(call)
	p := bpfobj.Program{Name: name + " " + call.String(), HookNotKnown: why}
	q := p
	q.Name += " (return)"
	compared := true
	for _, c := range names {
		h, args := function(enter, c, n.Get("syscall").String())
		p.Hooks, p.Places = append(p.Hooks, h), append(p.Places, placeOf(c))
		compared = compared && args
		h, _ = function(exit, c, n.Get("syscall").String())
		q.Hooks, q.Places = append(q.Hooks, h), append(q.Places, placeOf(c))
	}
	if compared {
		p.Reads = r.args(n)
	} else if len(n.Get("args").List()) > 0 {
		r.file.Skipped = append(r.file.Skipped, bpfobj.Skipped{What: "arguments of " + call.String(), Where: where(placeOf(call)), Why: "of a system call by its name in the kernel they are not compared; write sys_NAME"})
	}
	r.add(p, n)
	if n.Get("return").String() == "true" {
		if result := n.Get("returnArg"); result != nil {
			q.Reads = r.value(result, bpfobj.Access{Source: bpfobj.FromReturn})
		}
		r.add(q, n)
	}
}

// function is the hook of a function or system call as policies name it. args
// is false where the arguments are those of a system call behind its wrapper.
func function(kind hook.Kind, call *yamltree.Node, syscall string) (h hook.Hook, args bool) {
	name := call.String()
	h = hook.Hook{Kind: kind, Function: name, Text: string(kind) + ":" + name}
	bare, ok := strings.CutPrefix(name, "sys_")
	if ok && syscall != "false" && bare != "" && (kind == hook.Kprobe || kind == hook.Kretprobe) {
		h.Kind, h.Function = hook.Ksyscall, bare
		if kind == hook.Kretprobe {
			h.Kind = hook.Kretsyscall
		}
		h.Text = string(h.Kind) + ":" + bare
		return h, true
	}
	return h, !wrapper.MatchString(name)
}

// wrapper is the name of the function that is entered for a system call: its
// only argument are the caller's registers.
var wrapper = regexp.MustCompile(`^__(x64|x32|ia32|arm64|riscv|s390x?)_(compat_)?sys_`)

// calls gives the functions that a call names: itself, or those of "list:NAME".
func (r *reader) calls(call *yamltree.Node) (names []*yamltree.Node, why string) {
	list, ok := strings.CutPrefix(call.String(), "list:")
	if !ok {
		return []*yamltree.Node{call}, ""
	}
	l := r.lists[list]
	if l == nil {
		r.mistake(call, "no list %q in this policy", list)
		return nil, "there is no list " + list
	}
	if kind := l.Get("type").String(); strings.HasPrefix(kind, "generated") {
		return nil, "the functions of list " + list + " are made of those of the kernel that tetragon runs on (" + kind + ")"
	}
	var foreign []string
	for _, v := range l.Get("values").List() {
		switch abi, _, ok := strings.Cut(v.String(), "/"); {
		case ok: // "i386/sys_dup": of 32-bit programs
			foreign = append(foreign, abi)
		case v.String() != "":
			names = append(names, v)
		}
	}
	if foreign != nil {
		why = "system calls of another ABI (" + foreign[0] + ") are not looked at"
	}
	return names, why
}

func (r *reader) tracepoint(name string, n *yamltree.Node) {
	event := n.Get("event")
	h := hook.Hook{Kind: hook.Tracepoint, Module: n.Get("subsystem").String(), Function: event.String()}
	if n.Get("raw").String() == "true" {
		h = hook.Hook{Kind: hook.RawTracepoint, Function: event.String()}
	}
	if event.String() == "" || h.Kind == hook.Tracepoint && h.Module == "" {
		return
	}
	h.Text = h.String()
	r.add(bpfobj.Program{Name: name + " " + event.String(), Hooks: []hook.Hook{h}, Places: []bpfobj.Place{placeOf(event)}, Reads: r.args(n)}, n)
}

func (r *reader) lsm(name string, n *yamltree.Node) {
	at := n.Get("hook")
	if at.String() == "" {
		return
	}
	h := hook.Hook{Kind: hook.LSM, Function: at.String(), Text: "lsm:" + at.String()}
	r.add(bpfobj.Program{Name: name + " " + at.String(), Hooks: []hook.Hook{h}, Places: []bpfobj.Place{placeOf(at)}, Reads: r.args(n)}, n)
}

func (r *reader) usdt(name string, n *yamltree.Node) {
	what := n.Get("provider").String() + ":" + n.Get("name").String()
	r.add(bpfobj.Program{Name: name + " " + what, HookNotKnown: "static probes of programs (usdt) are not looked at"}, n)
}

func (r *reader) enforcer(name string, n *yamltree.Node) {
	for _, call := range n.Get("calls").List() {
		names, why := r.calls(call)
		p := bpfobj.Program{Name: name + " " + call.String(), HookNotKnown: why}
		for _, c := range names {
			h, _ := function(hook.Kprobe, c, "true")
			p.Hooks, p.Places = append(p.Hooks, h), append(p.Places, placeOf(c))
		}
		r.add(p, n)
	}
}

// uprobe reads an entry of uprobes: symbols, addresses or offsets of one file.
func (r *reader) uprobe(name string, n *yamltree.Node) {
	path := n.Get("path").String()
	if path == "" {
		return
	}
	var p bpfobj.Program
	add := func(h hook.Hook, at *yamltree.Node, byOffset bool) {
		h.Kind, h.Target = hook.Uprobe, path
		p.Hooks, p.Places, p.ByOffset = append(p.Hooks, h), append(p.Places, placeOf(at)), append(p.ByOffset, byOffset)
	}
	for _, s := range n.Get("symbols").List() {
		if s.String() != "" {
			add(hook.Hook{Function: s.String()}, s, false)
		}
	}
	for _, field := range []string{"addrs", "offsets"} {
		for _, a := range n.Get(field).List() {
			if v, err := strconv.ParseUint(a.String(), 0, 64); err == nil {
				h := hook.Hook{Address: v, HasAddress: true}
				if field == "offsets" {
					h.Text = fmt.Sprintf("uprobe:%s at file offset %#x", path, v)
				}
				add(h, a, field == "offsets")
			}
		}
	}
	p.Name = name + " " + path
	if len(p.Hooks) == 0 {
		p.HookNotKnown = "neither symbols nor addrs nor offsets are given"
		r.mistake(n, "%s: no symbols, addrs or offsets", name)
	}
	if args := n.Get("args"); len(args.List()) > 0 {
		r.file.Skipped = append(r.file.Skipped, bpfobj.Skipped{What: "arguments of " + name, Where: where(placeOf(args)), Why: "arguments of uprobes are not compared with the program's functions"})
	}
	if n.Get("resolvePathInContainer").String() == "true" {
		p.Hooks, p.Places, p.ByOffset = nil, nil, nil
		p.HookNotKnown = path + " is a file of containers, which are not looked at"
	}
	if n.Get("return").String() == "true" {
		q := p
		q.Name += " (return)"
		q.Hooks = nil
		for _, h := range p.Hooks {
			h.Kind = hook.Uretprobe
			q.Hooks = append(q.Hooks, h)
		}
		defer r.add(q, n)
	}
	r.add(p, n)
}

// args gives what the entry reads of its arguments.
func (r *reader) args(n *yamltree.Node) []bpfobj.Access {
	var out []bpfobj.Access
	for _, a := range append(slices.Clone(n.Get("args").List()), n.Get("data").List()...) {
		switch a.Get("source").String() {
		case "":
		case "current_task":
			if a.Get("resolve").String() != "" {
				out = append(out, r.value(a, bpfobj.Access{Source: bpfobj.FromType, Name: "struct task_struct"})...)
			}
			continue
		default: // registers: no argument
			continue
		}
		index, ok := number(a.Get("index"))
		if !ok {
			continue
		}
		out = append(out, r.value(a, bpfobj.Access{Source: bpfobj.FromArg, Index: index})...)
		// The only index that counts from 1.
		if size, ok := number(a.Get("sizeArgIndex")); ok && size > 0 {
			at := a.Get("sizeArgIndex")
			out = append(out, bpfobj.Access{Place: placeOf(at), Where: where(placeOf(at)), Source: bpfobj.FromArg, Index: size - 1, Shape: bpfobj.Shape{Kind: bpfobj.Number}})
		}
	}
	return out
}

// value gives what is read of one argument or result.
func (r *reader) value(n *yamltree.Node, a bpfobj.Access) []bpfobj.Access {
	t, ok := argTypes()[n.Get("type").String()]
	if !ok && n.Get("type") != nil || n.Get("type").String() == "nop" {
		return nil // the schema has said so; or nothing is read
	}
	at := n
	if n.Get("type") != nil {
		at = n.Get("type")
	}
	a.Place, a.Where = placeOf(at), where(placeOf(at))
	if path := n.Get("resolve").String(); path != "" {
		a.Path = members(path)
		a.Shape = t.shape
		return []bpfobj.Access{a}
	}
	a.As, a.Shape = t.as, t.shape
	return []bpfobj.Access{a}
}

// members are the steps of a "resolve": "mm.pages[3].flags".
func members(path string) []string {
	var out []string
	for part := range strings.SplitSeq(path, ".") {
		name, rest, _ := strings.Cut(part, "[")
		if name != "" {
			out = append(out, name)
		}
		for range strings.Count(rest, "]") {
			out = append(out, "[]")
		}
	}
	return out
}

// maxIndex is the largest index of an argument that is looked at.
const maxIndex = 1000

func number(n *yamltree.Node) (int, bool) {
	v, err := strconv.ParseUint(n.String(), 0, 32)
	return int(v), err == nil && v <= maxIndex
}
