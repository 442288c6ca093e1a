package cases

import (
	"debug/elf"
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"
)

// A line of an expect section is one of
//
//	symbol GLOB exists|absent
//	section NAME exists|absent
//	compressed NAME exists|absent
//	QUANTITY[(FUNCTION)] OP NUMBER|truth
//
// FUNCTION is the source name, by default the first one hooked; OP is one of
// == != < <= > >=. The quantities are those of facts_test.go and
//
//	entrypc   hits of what perf probe takes: entry PCs of copies, and bodies
//
// They say whether the compiler made the situation the case is about, and are
// read from the debug information and the code, not from the result.

// quantities of the function's copies, all together.
func (p *probed) quantities() map[string]func(f string) int {
	return map[string]func(string) int{
		"copies":   func(f string) int { return len(p.copies(f)) },
		"bodies":   func(f string) int { return len(p.bodyDIEs(f)) },
		"ranges":   p.maxRanges,
		"ways":     p.ways,
		"loophead": p.loopHeads,
		"nopfirst": p.nopFirst,
		"nested":   p.nested,
		"units":    func(string) int { return len(p.binary.Data().Units) },
		"jumps":    p.indirect,
		"critical": p.critical,
		"holes":    p.holes,
		"foreign":  p.foreign,
		"unrolled": p.unrolled,
		"behind":   p.behind,
		"selfjump": p.selfJumps,
	}
}

// check tests every line of the variant's expectations.
func (p *probed) check(t *testing.T, expect []string) {
	t.Helper()
	for _, line := range expect {
		ok, got, err := p.holds(line)
		switch {
		case err != nil:
			t.Errorf("expect %q: %v", line, err)
		case !ok:
			t.Errorf("expect %q: it is %s: the case does not prove what it says", line, got)
		}
	}
}

func (p *probed) holds(line string) (ok bool, got string, err error) {
	words := strings.Fields(line)
	if len(words) != 3 {
		return false, "", fmt.Errorf("want three words")
	}
	switch words[0] {
	case "symbol", "section", "compressed":
		has := p.has(words[0], words[1])
		return has == (words[2] == "exists"), map[bool]string{true: "there", false: "absent"}[has], nil
	}
	if words[0] == "entrypc" && !p.live {
		return true, "", nil
	}
	n, err := p.quantity(words[0])
	if err != nil {
		return false, "", err
	}
	want, err := strconv.Atoi(words[2])
	if words[2] == "truth" {
		want, err = int(p.truth[p.function]), nil
	}
	if err != nil {
		return false, "", err
	}
	ok, err = compare(n, words[1], want)
	return ok, strconv.Itoa(n), err
}

func compare(a int, op string, b int) (bool, error) {
	switch op {
	case "==":
		return a == b, nil
	case "!=":
		return a != b, nil
	case "<":
		return a < b, nil
	case "<=":
		return a <= b, nil
	case ">":
		return a > b, nil
	case ">=":
		return a >= b, nil
	}
	return false, fmt.Errorf("operator %q", op)
}

func (p *probed) quantity(term string) (int, error) {
	name, f, ok := strings.Cut(strings.TrimSuffix(term, ")"), "(")
	if !ok {
		f = p.function
	}
	if name == "entrypc" {
		return int(p.entryPC), nil
	}
	if p.binary.Data() == nil {
		return 0, fmt.Errorf("no debug information")
	}
	if q := p.quantities()[name]; q != nil {
		return q(f), nil
	}
	return 0, fmt.Errorf("no quantity %q", name)
}

// has looks for a symbol by glob, or for a section by name.
func (p *probed) has(kind, pattern string) bool {
	if kind == "symbol" {
		for _, s := range p.binary.File().Symbols() {
			if ok, err := path.Match(pattern, s.Name); ok && err == nil {
				return true
			}
		}
		return false
	}
	for _, s := range p.binary.File().Sections() {
		if s.Name == pattern && (kind == "section" || s.Flags&elf.SHF_COMPRESSED != 0) {
			return true
		}
	}
	return false
}
