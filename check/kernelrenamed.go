package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// candidate is a function that may be what another one became.
type candidate struct {
	name  string
	score float64
	why   []string
}

// Limits of the search, which runs for every kernel that lacks a function.
const (
	maxNeighbours = 40 // callers or callees that are followed
	maxFanIn      = 60 // a callee that has more callers tells nothing
	maxBecame     = 3  // candidates that are named
	enough        = 1.5
)

// became looks for what the function became in this kernel: it compares with
// kernels that have it, by callers, callees, file and signature.
func (c *kcontext) became() ([]candidate, error) {
	if c.renames != nil {
		return *c.renames, nil
	}
	c.renames = &[]candidate{}
	if c.Missing(kernel.Symbols) != "" {
		return nil, nil
	}
	ref, f, err := c.reference()
	if err != nil || ref == nil {
		return nil, err
	}
	if known, ok, err := c.asBefore(ref, f); ok || err != nil {
		c.renames = &known
		return known, err
	}
	n, err := ref.neighbours(f)
	if err != nil {
		return nil, err
	}
	scores, err := c.similar(ref, f, n)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(scores, func(k candidate) bool { return k.score < enough })
	if len(out) == 0 {
		if out, err = c.sameWords(ref, f); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.name, b.name))
	})
	out = out[:min(len(out), maxBecame)]
	c.renames = &out
	if len(out) > 0 {
		c.fleet.became[f.Name] = became{out[0].name, c.id.Name}
	}
	return out, nil
}

// became is what a function was found to be in one kernel.
type became struct{ name, kernel string }

// asBefore takes what the function became in another kernel, where this one
// has that too: calls need not be followed again.
func (c *kcontext) asBefore(ref *member, f kernel.Function) ([]candidate, bool, error) {
	was, ok := c.fleet.became[f.Name]
	if !ok {
		return nil, false, nil
	}
	g, ok, err := c.Function(was.name)
	if err != nil || !ok || len(g.Symbols)+len(g.Copies) == 0 {
		return nil, false, err
	}
	if _, before, err := ref.Function(was.name); err != nil || before {
		return nil, false, err
	}
	k := candidate{name: was.name, why: []string{"as in " + was.kernel}}
	k.alike(f, g)
	return []candidate{k}, true, nil
}

// reference is the kernel that tells most of the function: one of the same
// architecture, where it has a body, and next to this one in the order asked.
func (c *kcontext) reference() (best *member, f kernel.Function, err error) {
	all := append(slices.Clone(c.fleet.asked), c.fleet.others...)
	here := slices.Index(all, c.member)
	distance := 0
	for i, m := range all {
		if m == c.member {
			continue
		}
		g, ok, err := m.Function(c.source())
		if err != nil {
			return nil, f, err
		}
		if !ok || len(g.Symbols)+len(g.Copies) == 0 {
			continue
		}
		d := max(i-here, here-i)
		if len(g.Symbols) == 0 {
			d += 1 << 10
		}
		if m.id.Arch != c.id.Arch {
			d += 1 << 20
		}
		if best == nil || d < distance {
			best, f, distance = m, g, d
		}
	}
	return best, f, nil
}

// neighbours are the functions around one, by source name.
type neighbours struct{ callers, callees []string }

// neighbours gives the functions that call f or hold a copy of it, and those
// that its bodies call.
func (m *member) neighbours(f kernel.Function) (n neighbours, err error) {
	if m.Missing(kernel.Calls) != "" {
		return n, nil
	}
	for _, s := range f.Symbols {
		if s.Kind == kernel.Cold {
			continue
		}
		from, err := m.Callers(s.Name)
		if err != nil {
			return n, err
		}
		for _, e := range from {
			n.callers = addName(n.callers, e.Caller)
		}
		to, err := m.Callees(s.Name)
		if err != nil {
			return n, err
		}
		for _, e := range to {
			n.callees = addName(n.callees, e.Callee)
		}
	}
	for _, p := range f.Copies {
		n.callers = addName(n.callers, p.Caller)
	}
	return n, nil
}

func addName(list []string, symbol string) []string {
	name, _, _, _ := sites.SymbolName(symbol)
	if len(list) >= maxNeighbours || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// similar scores the functions of this kernel that stand where f stood in ref.
func (c *kcontext) similar(ref *member, f kernel.Function, n neighbours) ([]candidate, error) {
	callers, callees := map[string]int{}, map[string]int{} // of n, by candidate
	if c.Missing(kernel.Calls) == "" {
		if err := c.follow(n.callers, callers, c.Callees, func(e kernel.Call) string { return e.Callee }); err != nil {
			return nil, err
		}
		if err := c.follow(n.callees, callees, c.fewCallers, func(e kernel.Call) string { return e.Caller }); err != nil {
			return nil, err
		}
	}
	names := map[string]bool{}
	for _, list := range []map[string]int{callers, callees} {
		for name := range list {
			names[name] = true
		}
	}
	for _, name := range spellings(f.Name) {
		names[name] = true
	}
	var out []candidate
	for name := range names {
		k := candidate{name: name}
		if name == f.Name {
			continue
		}
		g, ok, err := c.Function(name)
		if err != nil {
			return nil, err
		}
		if !ok || len(g.Symbols) == 0 && len(g.Copies) == 0 {
			continue
		}
		old, ok, err := ref.Function(name)
		if err != nil {
			return nil, err
		}
		if ok && len(old.Symbols)+len(old.Copies) > 0 {
			continue // it was there beside f
		}
		k.around(callers[name], len(n.callers), callees[name], len(n.callees))
		k.alike(f, g)
		out = append(out, k)
	}
	return out, nil
}

// sameWords looks through all names for one of the same words in another
// order, with page for folio: account_page_dirtied, folio_account_dirtied. It
// finds what has no calls because it was inlined.
func (c *kcontext) sameWords(ref *member, f kernel.Function) ([]candidate, error) {
	names, err := c.Names()
	if err != nil {
		return nil, err
	}
	want, part := wordKey(f.Name), tellingWord(f.Name)
	var out []candidate
	for name := range names {
		if !strings.Contains(name, part) || wordKey(name) != want {
			continue
		}
		g, ok, err := c.Function(name)
		if err != nil {
			return nil, err
		}
		_, before, err := ref.Function(name)
		if err != nil {
			return nil, err
		}
		if k := (candidate{name: name, score: 1, why: []string{"the name has the same words"}}); ok && !before {
			if k.alike(f, g); len(k.why) > 1 {
				out = append(out, k)
			}
		}
	}
	return out, nil
}

// tellingWord is the longest word of a name that stays when pages become folios.
func tellingWord(name string) string {
	best := ""
	for _, w := range words(name) {
		if len(w) > len(best) && w != "page" && w != "pages" && w != "folio" && w != "folios" && w != "noprof" {
			best = w
		}
	}
	return best
}

// wordKey is the words of a name in order, as far as they tell.
func wordKey(name string) string {
	list := words(name)
	for i, w := range list {
		switch w {
		case "folio", "folios", "pages":
			list[i] = "page"
		case "noprof":
			list[i] = ""
		}
	}
	slices.Sort(list)
	return strings.TrimLeft(strings.Join(list, "_"), "_")
}

// fewCallers gives the calls of a symbol unless these are so many that they tell nothing.
func (c *kcontext) fewCallers(symbol string) ([]kernel.Call, error) {
	if n, err := c.CountCallers(symbol); err != nil || n > maxFanIn {
		return nil, err
	}
	return c.Callers(symbol)
}

// follow counts, for the functions next to the neighbours, how many of those
// they are next to.
func (c *kcontext) follow(from []string, count map[string]int, edges func(string) ([]kernel.Call, error), other func(kernel.Call) string) error {
	for _, name := range from {
		f, ok, err := c.Function(name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		once := map[string]bool{}
		for _, s := range f.Symbols {
			list, err := edges(s.Name)
			if err != nil {
				return err
			}
			if len(list) > maxFanIn {
				continue
			}
			for _, e := range list {
				next, _, _, _ := sites.SymbolName(other(e))
				once[next] = true
			}
		}
		for next := range once {
			count[next]++
		}
	}
	return nil
}

// around scores a candidate by its place in the call graph.
func (k *candidate) around(callers, ofCallers, callees, ofCallees int) {
	if callers > 0 {
		k.score += float64(callers) / float64(ofCallers)
		k.why = append(k.why, fmt.Sprintf("called by %d of the %d functions that called it", callers, ofCallers))
	}
	if callees > 0 {
		k.score += float64(callees) / float64(ofCallees)
		k.why = append(k.why, fmt.Sprintf("calls %d of the %d that it called", callees, ofCallees))
	}
}

// alike scores a candidate by its name, file and signature.
func (k *candidate) alike(f, g kernel.Function) {
	if slices.Contains(spellings(f.Name), k.name) {
		k.score += 0.75
		k.why = append(k.why, "the name is a variant")
	} else {
		k.score += nameLikeness(f.Name, k.name) / 2
	}
	if file := commonFile(f.Sources, g.Sources); file != "" {
		k.score += 0.5
		k.why = append(k.why, "also in "+file)
	}
	if len(f.Protos) == 1 && len(g.Protos) == 1 {
		if changes := protoChanges(f.Protos[0], g.Protos[0]); len(changes) == 0 {
			k.score += 0.5
			k.why = append(k.why, "same arguments")
		} else if len(changes) == 1 {
			k.score += 0.25
			k.why = append(k.why, changes[0])
		}
	}
}

func commonFile(a, b []string) string {
	for _, x := range a {
		file, _, _ := strings.Cut(x, ":")
		for _, y := range b {
			if other, _, _ := strings.Cut(y, ":"); other == file {
				return file
			}
		}
	}
	return ""
}

// spellings are names that the kernel's authors make of a name when they wrap,
// split or convert a function.
func spellings(name string) []string {
	bare := strings.TrimLeft(name, "_")
	out := []string{"_" + name, "__" + name, "do_" + name, "ksys_" + strings.TrimPrefix(name, "sys_"), name + "_noprof", strings.TrimSuffix(name, "_noprof")}
	if bare != name {
		out = append(out, bare, bare+"_noprof")
	}
	if after, ok := strings.CutPrefix(name, "do_"); ok {
		out = append(out, after)
	}
	for _, pair := range [][2]string{{"page", "folio"}, {"pages", "folios"}, {"dentry", "path"}} {
		if strings.Contains(name, pair[0]) {
			out = append(out, strings.ReplaceAll(name, pair[0], pair[1]))
		}
		if strings.Contains(name, pair[1]) {
			out = append(out, strings.ReplaceAll(name, pair[1], pair[0]))
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == name || s == "" })
}

// nameLikeness is the share of words that two names have in common, 0 to 1.
func nameLikeness(a, b string) float64 {
	x, y := words(a), words(b)
	common := 0
	for _, w := range x {
		if i := slices.Index(y, w); i >= 0 {
			common++
			y = slices.Delete(y, i, i+1)
		}
	}
	return 2 * float64(common) / float64(len(x)+len(words(b))+1)
}

func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '_' })
}
