package check

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// maxBpftraceProbes is how many probes bpftrace attaches without being told
// otherwise (0.17: 512 programs); a longer list is not a command to paste.
const maxBpftraceProbes = 512

// command is a bpftrace command that counts every execution the plan sees, or
// surehook's own where bpftrace cannot: the second result says why.
func (c context) command() string {
	own := c.own()
	if why := c.beyondBpftrace(); why != "" {
		return own + "\n# not with bpftrace: " + why
	}
	probes, raw, inside := c.probes()
	unsafe := ""
	if raw {
		unsafe = "--unsafe " // needed for places outside any symbol, which it takes as file offsets
	}
	text := "bpftrace " + unsafe + "-e '" + strings.Join(probes, ", ") + " { @ = count(); }'"
	if inside {
		text += "\n# inside functions bpftrace needs a disassembler (\"bpftrace --info\": bfd yes); without it:"
	} else {
		text += "\n# or:"
	}
	return text + "\n" + own
}

// Command gives the bpftrace command that counts every execution the result's
// plan sees, "" if bpftrace cannot.
func Command(r *sites.Result) string {
	c := context{Result: r}
	if c.beyondBpftrace() != "" {
		return ""
	}
	text, _, _ := strings.Cut(c.command(), "\n")
	return text
}

// own is surehook's command for the hook.
func (c context) own() string {
	h := c.Hook
	h.Target = c.Target.Path
	if h.Glob() {
		h = hook.Hook{Kind: h.Kind, Target: h.Target, Function: c.Function}
	}
	return "surehook trace --count " + shellQuote(h.String())
}

// beyondBpftrace says why bpftrace cannot count the plan; "" if it can.
func (c context) beyondBpftrace() string {
	conditions, n := 0, 0
	for _, s := range c.Sites {
		if n++; s.Cond.Op != flow.Always {
			conditions++
		}
		if s.Symbol != "" && c.ambiguous(s.Symbol) {
			return fmt.Sprintf("several symbols are named %s, and it resolves even addresses through names", s.Symbol)
		}
	}
	switch {
	case n == 0:
		return "there is no place to attach to"
	case conditions > 0:
		return fmt.Sprintf("at %s a branch condition decides whether the hit counts", plural(conditions, "place"))
	case n > maxBpftraceProbes:
		return fmt.Sprintf("%d places are more than it attaches (BPFTRACE_MAX_PROBES)", n)
	}
	return ""
}

// probes spells every site for bpftrace: by symbol at its start, by virtual
// address inside a symbol, and by file offset (raw) where there is none,
// which is how bpftrace reads them (attached_probe.cpp, 0.17 and later).
func (c context) probes() (probes []string, raw, inside bool) {
	seen := map[string]bool{}
	for _, s := range c.Sites {
		h := hook.Hook{Kind: hook.Uprobe, Target: c.Target.Path}
		if s.Return {
			h.Kind = hook.Uretprobe
		}
		switch {
		case s.Symbol == "":
			raw = true
			h.Address, h.HasAddress = s.FileOffset, true
		case s.Offset == 0:
			h.Function = s.Symbol
		default:
			inside = true
			h.Address, h.HasAddress = s.Address, true
		}
		if text := h.Bpftrace(); !seen[text] {
			seen[text] = true
			probes = append(probes, text)
		}
	}
	return probes, raw, inside
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// where names a place: "main+0x21", or the address outside symbols.
func where(s sites.Site) string {
	switch {
	case s.Symbol == "":
		return fmt.Sprintf("%#x", s.Address)
	case s.Offset == 0:
		return s.Symbol
	}
	return fmt.Sprintf("%s+%#x", s.Symbol, s.Offset)
}

// position writes "a.c:12", as much as is known.
func position(file string, line int) string {
	switch {
	case file == "":
		return ""
	case line == 0:
		return file
	}
	return fmt.Sprintf("%s:%d", file[strings.LastIndexByte(file, '/')+1:], line)
}

// caller writes the innermost caller of an inlined copy: "main (a.c:12)".
func caller(s sites.Site) string {
	if len(s.Callers) == 0 {
		return where(s)
	}
	f := s.Callers[0]
	if p := position(f.File, f.Line); p != "" {
		return f.Function + " (" + p + ")"
	}
	return f.Function
}
