package sites

import (
	"path"
	"sort"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// spell collects the ways a user may write the function.
func (f *function) spell() {
	add := func(s string) {
		if s == "" || s == f.name {
			return
		}
		for _, n := range f.names {
			if n == s {
				return
			}
		}
		f.names = append(f.names, s)
	}
	add(f.linkage)
	add(withoutTemplates(f.name))
	if i := strings.LastIndex(f.name, "::"); i >= 0 {
		add(f.name[i+2:])
	}
	for _, n := range goSpellings(f.name) {
		add(n)
	}
	for _, n := range append([]string(nil), f.names...) {
		if !strings.HasPrefix(n, "_Z") && !strings.HasPrefix(n, "_R") && !strings.HasPrefix(n, "__Z") {
			continue
		}
		if full, err := demangle.ToString(n, demangle.NoClones); err == nil {
			add(full)
		}
		if short, err := demangle.ToString(n, demangle.NoClones, demangle.NoParams, demangle.NoTemplateParams); err == nil {
			add(short)
		}
	}
}

// withoutTemplates takes the template arguments off a C++ or Rust name:
// "ns::add<int>" is also "ns::add". Operators keep their signs.
func withoutTemplates(name string) string {
	if !strings.HasSuffix(name, ">") || strings.Contains(name, "operator") {
		return name
	}
	var b strings.Builder
	depth := 0
	for _, c := range name {
		switch {
		case c == '<':
			depth++
		case c == '>' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// matches tells whether the function is meant by a hook's function part, as
// a name or as a glob.
func (f *function) matches(pattern string, glob bool) bool {
	same := func(a, b string) bool { return a == b }
	if glob {
		same = globMatch
	}
	if same(pattern, f.name) {
		return true
	}
	for _, n := range f.names {
		if same(pattern, n) {
			return true
		}
	}
	return false
}

// globMatch is shell matching in which * also crosses "/" (Go's names).
func globMatch(pattern, name string) bool {
	if pattern == "*" {
		return true
	}
	hide := func(s string) string { return strings.ReplaceAll(s, "/", "\x01") }
	ok, err := path.Match(hide(pattern), hide(name))
	return err == nil && ok
}

// maxNear is how many names a misspelt hook is offered.
const maxNear = 3

// near gives the function names closest to a misspelt one, best first.
func (x *index) near(name string) []string {
	type cand struct {
		name string
		d    int
	}
	limit := len(name)/3 + 1
	best := map[string]int{}
	for _, f := range x.live() {
		at, d := "", limit+1
		for _, n := range append([]string{f.name}, f.names...) {
			nd := distance(name, n, limit)
			if strings.EqualFold(name, n) {
				nd = 0
			}
			if nd < d {
				at, d = n, nd
			}
		}
		if d <= limit {
			best[at] = d
		}
	}
	var cands []cand
	for n, d := range best {
		cands = append(cands, cand{n, d})
	}
	sort.Slice(cands, func(i, j int) bool {
		if cands[i].d != cands[j].d {
			return cands[i].d < cands[j].d
		}
		return cands[i].name < cands[j].name
	})
	var out []string
	for _, c := range cands[:min(len(cands), maxNear)] {
		out = append(out, c.name)
	}
	return out
}

// distance is the edit distance of two names, at most limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag, least := row[0], i
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next := min(row[j]+1, row[j-1]+1, diag+cost)
			diag, row[j] = row[j], next
			least = min(least, next)
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
