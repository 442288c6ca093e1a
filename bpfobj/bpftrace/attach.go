package bpftrace

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
)

// point is an attach point as written.
type point struct {
	text string
	at   bpfobj.Place
	hook *hook.Hook // nil: no hook of a function or event
	why  string     // why not, or why that is not known
	idle bool       // nothing is hooked: a timer, the script itself
}

// attachPoint reads one. It ends at a blank, a comma or a brace; a slash ends
// it where no file's path can be.
func (p *parser) attachPoint() point {
	p.space()
	start, colons, quoted := p.at, 0, false
	for ; p.at < len(p.src); p.at++ {
		c := p.src[p.at]
		if c == '\\' && quoted && p.at+1 < len(p.src) {
			p.at++
			continue
		}
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' || !quoted && strings.IndexByte(" \t\r\f\v,{", c) >= 0 {
			break
		}
		if c == ':' && !quoted {
			colons++
		}
		if c == '/' && !quoted && !isPath(p.src[start:p.at], colons) {
			break
		}
	}
	if quoted {
		p.fail(start, "string is not closed")
	}
	if p.at == start || p.src[start] == '#' {
		p.at = start
		t := p.next()
		p.fail(t.at, "unexpected %s, expecting an attach point", t)
	}
	return p.newPoint(start, p.src[start:p.at])
}

// isPath tells whether a slash behind an attach point's beginning is part of a
// file's name: the second part of what is put on files.
func isPath(before string, colons int) bool {
	kind, _, _ := strings.Cut(before, ":")
	switch kind {
	case "uprobe", "u", "uretprobe", "ur", "usdt", "U", "watchpoint", "w", "asyncwatchpoint", "aw":
		return colons == 1
	}
	return false
}

// eventKind gives what to say of providers that hook no function and no event
// of the kernel; idle are those that hook nothing.
func eventKind(kind string) (why string, idle, ok bool) {
	switch kind {
	case "BEGIN", "END", "begin", "end", "self", "test", "bench", "interval", "i", "profile", "p", "software", "s", "hardware", "h":
		return "a timer, a counter, or the script itself", true, true
	case "watchpoint", "w", "asyncwatchpoint", "aw":
		return "a watch on memory", false, true
	case "iter", "it":
		return "it walks over objects of the kernel when the script runs", false, true
	case "usdt", "U":
		return "static probes of programs (usdt) are not looked at", false, true
	}
	return "", false, false
}

func (p *parser) newPoint(start int, text string) point {
	pt := point{text: text}
	pt.at.Line, pt.at.Column = place(p.src, start)
	kind, rest, colon := strings.Cut(text, ":")
	if why, idle, ok := eventKind(kind); ok {
		if pt.why, pt.idle = why, idle; !colon && !strings.EqualFold(kind, "BEGIN") && !strings.EqualFold(kind, "END") && kind != "self" {
			p.fail(start, "%s needs more than its name", kind)
		}
		return pt
	}
	if !known(kind) {
		p.fail(start, "no probe is called %q", kind)
	}
	if !colon || rest == "" {
		p.fail(start, "%s needs a function or event", kind)
	}
	if i := strings.IndexByte(rest, '$'); i >= 0 {
		pt.why = "it depends on an argument of the script: " + text
		return pt
	}
	h, err := hook.Parse(text)
	if err != nil {
		e := (*hook.SyntaxError)(nil)
		if errorsAs(err, &e) {
			p.fail(start+max(e.Column-1, 0), "%s", strings.TrimSpace(e.Reason+"; "+e.Hint))
		}
		p.fail(start, "%v", err)
	}
	switch {
	case strings.ContainsAny(h.Target, "*?["):
		pt.why = "which files " + h.Target + " stands for is not looked up"
	case h.Kind == hook.Tracepoint && strings.ContainsAny(h.Module, "*?["):
		pt.why = "which categories " + h.Module + " stands for is not looked up"
	case (h.Kind == hook.Fentry || h.Kind == hook.Fexit) && h.Module == "bpf":
		pt.why = "a BPF program is hooked, no function of the kernel"
	default:
		pt.hook = &h
	}
	return pt
}

// known tells whether bpftrace has a provider of that name that hooks.
func known(kind string) bool {
	return slices.Contains([]string{
		"kprobe", "k", "kretprobe", "kr", "kfunc", "f", "fentry", "kretfunc", "fr", "fexit", "tracepoint", "t", "rawtracepoint", "rt",
		"uprobe", "u", "uretprobe", "ur",
	}, kind)
}

// program makes a program of the attach points of one action.
func program(points []point) bpfobj.Program {
	prog := bpfobj.Program{Where: where(points[0].at)}
	var unknown []string
	for _, pt := range points {
		if pt.hook != nil {
			prog.Hooks, prog.Places = append(prog.Hooks, *pt.hook), append(prog.Places, pt.at)
		} else if !pt.idle {
			unknown = append(unknown, pt.text+": "+pt.why)
		}
	}
	prog.Name = points[0].text
	if len(points) > 1 {
		prog.Name += ", ..."
	}
	prog.AnyOf = len(points) > 1 || len(prog.Hooks) == 1 && prog.Hooks[0].Glob()
	prog.HookNotKnown = strings.Join(unknown, "; ")
	return prog
}
