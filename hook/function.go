package hook

import (
	"strconv"
	"strings"
)

func quote(s string) string { return strconv.Quote(s) }

// segment takes the part before the next colon off rest. It may be quoted,
// then colons in it do not count. after is empty or begins with the colon.
func (p *parser) segment(rest string) (part, after string, err error) {
	if strings.HasPrefix(rest, `"`) {
		part, after, ok := unquote(rest)
		if !ok {
			return "", "", p.fail(rest, "quote is not closed", `write "..."`)
		}
		if after != "" && after[0] != ':' {
			return "", "", p.fail(after, "text after the closing quote", "put a colon between the parts")
		}
		return part, after, nil
	}
	if i := strings.IndexByte(rest, ':'); i >= 0 {
		return rest[:i], rest[i:], nil
	}
	return rest, "", nil
}

// unquote reads a quoted string with \" and \\ at the beginning of s.
func unquote(s string) (value, after string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// function reads what follows the last colon: a name, name+offset, or an
// address, and puts it into h.
func (p *parser) function(h Hook, rest string) (Hook, error) {
	if err := p.body(rest); err != nil {
		return h, err
	}
	// bpftrace's prefix for demangling; demangled names are always read here.
	if after, ok := strings.CutPrefix(rest, "cpp:"); ok && h.Kind.User() && !strings.HasPrefix(after, ":") {
		rest = after
	}
	if rest == "" {
		return h, p.fail(rest, "no function", "write "+example(h.Kind))
	}
	if strings.HasPrefix(rest, `"`) {
		return p.quoted(h, rest)
	}
	if n, ok := number(rest); ok {
		if !h.Kind.function() {
			return h, p.fail(rest, "an address cannot be hooked by "+string(h.Kind), "write a name")
		}
		h.Address, h.HasAddress = n, true
		return h, nil
	}
	if looksNumeric(rest) {
		return h, p.fail(rest, "bad address", "write 0x1234, at most 64 bits")
	}
	name, off := cutOffset(rest)
	if off == "" {
		h.Function = strings.TrimSpace(rest)
		return h, nil
	}
	return p.offset(h, strings.TrimSpace(name), rest[len(rest)-len(off):])
}

// quoted reads "name" or "name"+offset.
func (p *parser) quoted(h Hook, rest string) (Hook, error) {
	name, after, ok := unquote(rest)
	if !ok {
		return h, p.fail(rest, "quote is not closed", `write "name"`)
	}
	if name == "" {
		return h, p.fail(rest, "no function", "write "+example(h.Kind))
	}
	if after == "" {
		h.Function = name
		return h, nil
	}
	if after[0] != '+' {
		return h, p.fail(after, "text after the closing quote", `write "name" or "name"+0x10`)
	}
	return p.offset(h, name, after[1:])
}

func (p *parser) offset(h Hook, name, digits string) (Hook, error) {
	n, ok := number(strings.TrimSpace(digits))
	if !ok {
		return h, p.fail(digits, "bad offset "+quote(digits), "write f+0x10 or f+16")
	}
	if !h.Kind.function() {
		return h, p.fail(digits, "an offset cannot be hooked by "+string(h.Kind), "kprobe can: kprobe:f+0x10")
	}
	h.Function, h.Offset, h.HasOffset = name, n, true
	return h, nil
}

// cutOffset cuts "f+0x10" at its last plus sign. A C++ operator's plus
// ("operator+(A, B)", "operator++") belongs to the name.
func cutOffset(s string) (name, digits string) {
	i := strings.LastIndexByte(s, '+')
	if i <= 0 || strings.TrimSpace(s[:i]) == "" || strings.TrimSpace(s[i+1:]) == "" {
		return s, ""
	}
	digits = strings.TrimSpace(s[i+1:])
	if looksNumeric(digits) {
		return s[:i], s[i+1:]
	}
	// "f+zz": in a plain C name a plus can only begin an offset.
	if plain(s[:i]) && plain(digits) && !strings.HasSuffix(s[:i], "operator") {
		return s[:i], s[i+1:]
	}
	return s, ""
}

func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

func looksNumeric(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// number reads a hexadecimal number with 0x or a decimal one.
func number(s string) (uint64, bool) {
	base := 10
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		s, base = s[2:], 16
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

// body rejects a bpftrace action block or predicate after the probe.
func (p *parser) body(rest string) error {
	inQuotes := false
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '"' {
			inQuotes = !inQuotes
		}
		if inQuotes || rest[i] != ' ' {
			continue
		}
		after := strings.TrimLeft(rest[i:], " ")
		if after == "{" || strings.HasPrefix(after, "{ ") || strings.HasPrefix(after, "{@") || strings.HasPrefix(after, "{}") ||
			strings.HasPrefix(after, "/") {
			return p.fail(rest[i+1:], "text after the probe", "give the probe only, without filter and { action }")
		}
	}
	return nil
}

// several rejects a comma list: in bpftrace several probes share an action,
// here each hook is an argument. Commas inside brackets belong to a C++ name.
func (p *parser) several(rest string) error {
	depth, inQuotes := 0, false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && inQuotes:
			i++
		case c == '"':
			inQuotes = !inQuotes
		case inQuotes:
		case strings.HasPrefix(rest[i:], "operator"):
			i += len("operator") + operatorLen(rest[i+len("operator"):]) - 1
		case strings.HasPrefix(rest[i:], "->"):
			i++
		case strings.IndexByte("([{<", c) >= 0:
			depth++
		case strings.IndexByte(")]}>", c) >= 0:
			depth--
		case c == ',' && (depth <= 0 || startsHook(rest[i+1:])):
			return p.fail(rest[i:], "a comma list is several hooks", "give each as an argument of its own, or quote a name that has a comma")
		}
	}
	return nil
}

// operatorLen is the length of a C++ operator's sign at the beginning of s:
// its angle brackets and commas are not punctuation.
func operatorLen(s string) int {
	if strings.HasPrefix(s, "()") || strings.HasPrefix(s, "[]") {
		return 2
	}
	n := 0
	for n < len(s) && n < 3 && strings.IndexByte("+-*/%^&|~!=<>,", s[n]) >= 0 {
		n++
	}
	return n
}

func startsHook(s string) bool {
	name, _, ok := strings.Cut(strings.TrimLeft(s, " "), ":")
	if !ok {
		return false
	}
	_, ok = lookup(bpftraceKinds, name)
	return ok && !strings.HasPrefix(strings.TrimLeft(s, " ")[len(name):], "::")
}
