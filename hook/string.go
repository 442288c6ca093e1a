package hook

import (
	"fmt"
	"strings"
)

// String writes the hook in bpftrace's form, with quotes only where Parse
// needs them: Parse(h.String()) gives h again (but for Text).
func (h Hook) String() string {
	parts := []string{string(h.Kind)}
	if h.Kind.User() {
		parts = append(parts, quoteIf(h.Target, needsQuote(h.Target)))
	} else if h.Module != "" {
		parts = append(parts, quoteIf(h.Module, needsQuote(h.Module)))
	}
	bare := strings.Join(append(parts, h.place(false)), ":")
	if got, err := Parse(bare); err == nil && got.same(h) {
		return bare
	}
	return strings.Join(append(parts, h.place(true)), ":")
}

// same compares two hooks without their spelling.
func (h Hook) same(o Hook) bool {
	h.Text, o.Text = "", ""
	return h == o
}

// place writes the function, function+offset or address.
func (h Hook) place(quoted bool) string {
	switch {
	case h.HasAddress:
		return fmt.Sprintf("%#x", h.Address)
	case h.HasOffset:
		return fmt.Sprintf("%s+%#x", quoteIf(h.Function, quoted), h.Offset)
	}
	return quoteIf(h.Function, quoted)
}

func needsQuote(s string) bool {
	return s == "" || strings.ContainsAny(s, `:",`) || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ")
}

func quoteIf(s string, quoted bool) string {
	if !quoted {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Bpftrace writes the hook as a probe that bpftrace's grammar accepts, to be
// pasted inside a single-quoted program. bpftrace quotes have no escapes, so
// a quote in a name is written as the wildcard "?".
func (h Hook) Bpftrace() string {
	parts := []string{string(h.Kind)}
	switch h.Kind { // the spelling that old and new versions know
	case Fentry:
		parts[0] = "kfunc"
	case Fexit:
		parts[0] = "kretfunc"
	case KprobeMulti:
		parts[0] = "kprobe"
	case KretprobeMulti:
		parts[0] = "kretprobe"
	case Ksyscall:
		return "tracepoint:syscalls:sys_enter_" + bpftraceQuote(h.Function)
	case Kretsyscall:
		return "tracepoint:syscalls:sys_exit_" + bpftraceQuote(h.Function)
	}
	if h.Kind.User() {
		parts = append(parts, bpftraceQuote(h.Target))
	} else if h.Module != "" {
		parts = append(parts, bpftraceQuote(h.Module))
	}
	switch {
	case h.HasAddress:
		parts = append(parts, fmt.Sprintf("%#x", h.Address))
	case h.HasOffset:
		parts = append(parts, fmt.Sprintf("%s+%d", bpftraceQuote(h.Function), h.Offset))
	default:
		parts = append(parts, bpftraceQuote(h.Function))
	}
	return strings.Join(parts, ":")
}

// bpftraceQuote quotes what bpftrace's lexer would take apart: it knows
// letters, digits and the characters below without quotes (0.17 and later).
func bpftraceQuote(s string) string {
	bare := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./-*?", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !bare(r) }) < 0 {
		return s
	}
	// A single quote would end the shell's quoting around the program.
	return `"` + strings.NewReplacer(`"`, "?", "'", "?").Replace(s) + `"`
}
