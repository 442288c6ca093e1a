package hook

import (
	"strings"
	"unicode/utf8"
)

// maxText bounds the length of a hook in bytes. The longest mangled names of
// real C++ programs are some 10,000 bytes.
const maxText = 1 << 16

// Parse reads one hook in bpftrace's spelling ("uprobe:./bin:f+0x10",
// "kprobe:vfs_read") or libbpf's ("uprobe//lib/x.so:f", with or without
// SEC("...") around it). Nothing is looked up. The error is a *SyntaxError.
func Parse(text string) (Hook, error) {
	p := parser{text: text}
	h, err := p.parse()
	if err != nil {
		return Hook{}, err
	}
	h.Text = text
	return h, nil
}

// parser holds the text for its errors; rest is always a suffix of it.
type parser struct{ text string }

func (p *parser) fail(rest, reason, hint string) error {
	shown := p.text
	if len(shown) > 200 {
		shown = shown[:200] + "..."
	}
	return &SyntaxError{Text: shown, Column: len(p.text) - len(rest) + 1, Reason: reason, Hint: hint}
}

func (p *parser) parse() (Hook, error) {
	rest := strings.TrimLeft(p.text, " \t")
	if len(p.text) > maxText {
		return Hook{}, p.fail(rest, "too long", "")
	}
	if i := strings.IndexFunc(rest, control); i >= 0 {
		return Hook{}, p.fail(rest[i:], "control character or broken UTF-8", "give one hook an argument")
	}
	if strings.TrimSpace(rest) == "" {
		return Hook{}, p.fail(rest, "empty", "write for example uprobe:./bin:function")
	}
	if strings.HasPrefix(rest, "SEC(") {
		return p.macro(rest)
	}
	i := strings.IndexAny(rest, ":/")
	if i < 0 {
		return Hook{}, p.noKind(rest)
	}
	name := rest[:i]
	if rest[i] == '/' {
		if _, ok := sectionKind(name); ok {
			return p.section(rest, rest)
		}
		return Hook{}, p.noKind(rest)
	}
	kind, ok := lookup(bpftraceKinds, name)
	if !ok {
		return Hook{}, p.badKind(rest, name)
	}
	return p.bpftrace(kind, strings.TrimRight(rest[i+1:], " \t"))
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }

func (p *parser) noKind(rest string) error {
	if k, ok := lookup(bpftraceKinds, strings.TrimSpace(rest)); ok {
		return p.fail(rest, "nothing after the kind "+string(k), "write for example "+example(k))
	}
	if strings.Contains(rest, ":") {
		return p.fail(rest, "no kind before the file", "write uprobe:"+strings.TrimSpace(rest))
	}
	return p.fail(rest, "no kind and no file", "write for example uprobe:./bin:function")
}

func (p *parser) badKind(rest, name string) error {
	switch {
	case foreign(name):
		return p.fail(rest, "kind "+quote(name)+" is not a function hook", "surehook knows uprobe, uretprobe, kprobe, "+
			"kretprobe, kprobe.multi, fentry, fexit, tracepoint, rawtracepoint, lsm and ksyscall")
	case nearestKind(name) != "":
		return p.fail(rest, "unknown kind "+quote(name), "did you mean "+nearestKind(name)+"?")
	case strings.Contains(name, ".") || len(name) == 0:
		return p.noKind(rest)
	}
	return p.fail(rest, "unknown kind "+quote(name), "write uprobe:"+strings.TrimSpace(rest)+" for a function of the file "+quote(name))
}

func example(k Kind) string {
	switch {
	case k.User():
		return string(k) + ":./bin:function"
	case k == Tracepoint:
		return "tracepoint:sched:sched_switch"
	}
	return string(k) + ":function"
}

// bpftrace reads what follows "kind:".
func (p *parser) bpftrace(kind Kind, rest string) (Hook, error) {
	h := Hook{Kind: kind}
	if err := p.several(rest); err != nil {
		return h, err
	}
	if kind.User() {
		target, after, err := p.segment(rest)
		if err != nil {
			return h, err
		}
		if h.Target = target; target == "" {
			return h, p.fail(rest, "no file", "write "+example(kind))
		}
		if after == "" {
			return h, p.fail(after, "no function", "write "+string(kind)+":"+target+":function, or "+string(kind)+":"+target+":* for all")
		}
		return p.function(h, strings.TrimLeft(after[1:], " "))
	}
	// kprobe:module:f, tracepoint:category:name: the first of two parts.
	if _, after, ok := unquote(rest); ok && rest[0] == '"' && !strings.HasPrefix(after, ":") && kind != Tracepoint {
		return p.function(h, rest)
	}
	first, after, err := p.segment(rest)
	if err != nil {
		return h, err
	}
	if after != "" {
		if h.Module = first; first == "" {
			return h, p.fail(rest, "empty part", "write "+example(kind))
		}
		rest = after[1:]
	} else if kind == Tracepoint {
		return h, p.fail(rest, "a tracepoint needs a category and a name", "write "+example(kind))
	}
	return p.function(h, rest)
}

// macro reads SEC("...").
func (p *parser) macro(rest string) (Hook, error) {
	inner := strings.TrimLeft(rest[len("SEC("):], " ")
	if !strings.HasPrefix(inner, `"`) {
		return Hook{}, p.fail(inner, "no quote after SEC(", `write SEC("uprobe//lib/x.so:f")`)
	}
	end := strings.LastIndex(inner[1:], `"`)
	if end < 0 || strings.Trim(inner[1+end+1:], " ;") != ")" {
		return Hook{}, p.fail(inner, "SEC is not closed", `write SEC("uprobe//lib/x.so:f")`)
	}
	return p.section(inner[1:], inner[1:1+end])
}

// section reads libbpf's section name sec; at is the suffix of the text where
// it begins.
func (p *parser) section(at, sec string) (Hook, error) {
	sec = strings.TrimRight(sec, " \t")
	name, rest, slash := strings.Cut(sec, "/")
	kind, ok := sectionKind(strings.TrimPrefix(name, "?"))
	if !ok {
		return Hook{}, p.badKind(at, name)
	}
	if !slash || rest == "" {
		return Hook{}, p.fail(at, "section "+quote(name)+" names no function", "give the place the loader attaches it to, like "+example(kind))
	}
	sub := parser{text: p.text[:len(p.text)-len(at)+len(sec)]} // columns stay those of the whole text
	rest = sub.text[len(sub.text)-len(rest):]
	h, err := sub.sectionRest(kind, rest)
	if e, ok := err.(*SyntaxError); ok {
		e.Text = p.text
	}
	return h, err
}

func (p *parser) sectionRest(kind Kind, rest string) (Hook, error) {
	if kind.User() {
		return p.bpftrace(kind, rest)
	}
	h := Hook{Kind: kind}
	if kind == Tracepoint {
		category, _, ok := strings.Cut(rest, "/")
		if !ok || category == "" {
			return h, p.fail(rest, "a tracepoint needs a category and a name", `write SEC("tp/sched/sched_switch")`)
		}
		h.Module = category
		rest = rest[len(category)+1:]
	}
	if module, _, ok := strings.Cut(rest, ":"); ok && module != "" && (kind == Fentry || kind == Fexit) {
		h.Module = module // libbpf 0.3 and later
		rest = rest[len(module)+1:]
	}
	if strings.ContainsAny(rest, "/:") {
		return h, p.fail(rest, "a kernel function has no / or :", `write SEC("fentry/vfs_read")`)
	}
	return p.function(h, rest)
}
