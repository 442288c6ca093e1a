package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// versions: the plain name stands for several symbol versions at different
// addresses, or for an old one that new programs do not call (SH301).
func versions(c context) []Finding {
	if c.Hook.HasAddress || strings.Contains(c.Hook.Function, "@") {
		return nil
	}
	var named []elfbin.Symbol
	for _, s := range c.symbols(c.symbolName()) {
		same := func(o elfbin.Symbol) bool { return o.Version == s.Version && o.Value == s.Value }
		if s.Version != "" && (s.Func() || s.IFunc()) && !slices.ContainsFunc(named, same) {
			named = append(named, s)
		}
	}
	if len(named) == 0 || len(distinctValues(named)) < 2 && !allHidden(named) {
		return nil
	}
	// Another version is a function of its own, which says the same.
	if c.has(sites.ReasonIFunc) && slices.ContainsFunc(named, elfbin.Symbol.Func) {
		return nil
	}
	f := Finding{Severity: Warning}
	missed := 0
	for _, s := range named {
		line := fmt.Sprintf("%s at %#x", versioned(s), s.Value)
		if c.plainAt(s.Value) {
			line += ": probed"
		} else {
			missed++
			line += ": not probed"
		}
		f.Evidence = append(f.Evidence, line)
	}
	name := c.symbolName()
	switch {
	case len(distinctValues(named)) < 2:
		f.Message = fmt.Sprintf("%s is exported only as the old version %s, which newly linked programs do not call", name, versioned(named[0]))
	case missed > 0:
		f.Severity = Error
		f.Message = fmt.Sprintf("%s has %s at different addresses and the probe is not on all of them: calls bound to the others are lost",
			name, plural(len(named), "version"))
	default:
		f.Message = fmt.Sprintf("%s has %s at different addresses: the probe counts the calls of all of them", name, plural(len(named), "version"))
	}
	f.Remedy = c.command()
	return []Finding{f}
}

// symbolName is the name a plain probe would look up.
func (c context) symbolName() string {
	if c.Hook.Glob() || c.Hook.Function == "" {
		if c.Linkage != "" {
			return c.Linkage
		}
		return c.Function
	}
	return c.Hook.Function
}

// asked is the function's name as the user knows it: a hook may name an alias.
func (c context) asked() string {
	if c.Hook.Glob() || c.Hook.Function == "" {
		return c.Function
	}
	return c.Hook.Function
}

// plainAt tells whether the plain probe sits at the virtual address.
func (c context) plainAt(addr uint64) bool {
	return slices.ContainsFunc(c.Sites, func(s sites.Site) bool { return s.Plain && s.Address == addr })
}

func versioned(s elfbin.Symbol) string {
	if s.Hidden {
		return s.Name + "@" + s.Version
	}
	return s.Name + "@@" + s.Version
}

func allHidden(symbols []elfbin.Symbol) bool {
	return !slices.ContainsFunc(symbols, func(s elfbin.Symbol) bool { return !s.Hidden })
}

func distinctValues(symbols []elfbin.Symbol) []uint64 {
	var values []uint64
	for _, s := range symbols {
		if !slices.Contains(values, s.Value) {
			values = append(values, s.Value)
		}
	}
	return values
}

// ifunc: the symbol is a resolver that runs once, at binding (SH302).
func ifunc(c context) []Finding {
	if !c.has(sites.ReasonIFunc) {
		return nil
	}
	f := Finding{
		Message: fmt.Sprintf("%s is an indirect function: the symbol is its resolver, which runs once a process, not once a call", c.asked()),
		Remedy:  c.candidates(),
	}
	for _, s := range c.Notes.Symbols {
		if s.IFunc() {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s has type GNU_IFUNC, its resolver is at %#x", s.Name, s.Value))
		}
	}
	for i, s := range c.Sites {
		if i == maxEvidence {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more candidates", len(c.Sites)-i))
			break
		}
		f.Evidence = append(f.Evidence, fmt.Sprintf("its code names the candidate %s at %#x", s.Symbol, s.Address))
	}
	return []Finding{f}
}

// candidates is what to do about an indirect function: probe what its
// resolver's code names or, if that names nothing, what is called alike.
func (c context) candidates() string {
	if len(c.Sites) > 0 {
		return "probe all candidates; calls that others make to them count too:\n" + c.own()
	}
	return fmt.Sprintf("probe the implementation the resolver chooses on this machine; list the candidates with:\n"+
		"surehook sites %s\n# they are named only in .symtab: install the file's debug symbols if it is stripped",
		shellQuote(hook.Hook{Kind: hook.Uprobe, Target: c.Target.Path, Function: "*" + strings.TrimLeft(c.asked(), "_") + "*"}.String()))
}

// aliases: one body, several names (SH303).
func aliases(c context) []Finding {
	byValue := map[uint64][]string{}
	var order []uint64
	for _, s := range c.Notes.Symbols {
		if !s.Func() || !c.isBody(s.Value) || slices.Contains(c.Notes.Folded, s.Name) {
			continue
		}
		if byValue[s.Value] == nil {
			order = append(order, s.Value)
		}
		if !slices.Contains(byValue[s.Value], s.Name) {
			byValue[s.Value] = append(byValue[s.Value], s.Name)
		}
	}
	f := Finding{}
	names := 0
	for _, v := range order {
		if len(byValue[v]) > 1 {
			names = max(names, len(byValue[v]))
			f.Evidence = append(f.Evidence, fmt.Sprintf("%#x: %s", v, strings.Join(byValue[v], ", ")))
		}
	}
	if names == 0 {
		return nil
	}
	f.Message = fmt.Sprintf("%s is one body with %d names: the probe counts the calls by every name", c.asked(), names)
	return []Finding{f}
}

// isBody tells whether a site is an out-of-line body at addr.
func (c context) isBody(addr uint64) bool {
	return slices.ContainsFunc(c.Sites, func(s sites.Site) bool { return s.Kind != sites.Inlined && s.Address == addr })
}

// undefined: the file only imports the function (SH304).
func undefined(c context) []Finding {
	if !c.has(sites.ReasonUndefined) {
		return nil
	}
	f := Finding{
		Message: fmt.Sprintf("%s is not in this file: it is imported, and a probe here could only sit on the call stub", c.Function),
		Remedy:  "name the library that defines it; \"ldd " + c.Target.Path + "\" lists the candidates",
	}
	if c.in.Providers == nil {
		return []Finding{f}
	}
	var lines []string
	for _, path := range c.in.Providers(c.Function) {
		f.Evidence = append(f.Evidence, path+" defines "+c.Function)
		h := hook.Hook{Kind: c.Hook.Kind, Target: path, Function: c.Function}
		lines = append(lines, "bpftrace -e '"+h.Bpftrace()+" { @ = count(); }'")
	}
	if len(lines) > 0 {
		f.Remedy = strings.Join(lines, "\n")
	}
	return []Finding{f}
}

// sameName: several functions share the name, as static ones may (SH305).
func sameName(c context) []Finding {
	byName := map[string][]elfbin.Symbol{}
	var order []string
	for _, s := range c.Notes.Symbols {
		if !s.Func() || s.Version != "" {
			continue
		}
		if byName[s.Name] == nil {
			order = append(order, s.Name)
		}
		byName[s.Name] = append(byName[s.Name], s)
	}
	var out []Finding
	for _, name := range order {
		values := distinctValues(byName[name])
		if len(values) < 2 {
			continue
		}
		slices.Sort(values) // the same finding whichever function it is found by
		f := Finding{
			Message: fmt.Sprintf("%d functions are named %s, and a plain probe is on one of them: calls of the others are lost", len(values), name),
			Remedy:  c.command(),
		}
		for _, v := range values {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s at %#x", name, v))
		}
		out = append(out, f)
	}
	return out
}

// otherBuild: the offset or address was computed for another build (SH306).
func otherBuild(c context) []Finding {
	if c.in.BuildID == "" || !c.Hook.HasOffset && !c.Hook.HasAddress || strings.EqualFold(c.in.BuildID, c.Target.BuildID) {
		return nil
	}
	have := c.Target.BuildID
	if have == "" {
		have = "none"
	}
	f := Finding{
		Message:  "the place was computed for another build of the file: other code is there now",
		Evidence: []string{"build id asked for: " + strings.ToLower(c.in.BuildID), "build id of the file: " + have},
		Remedy:   "compute the place again from the function's name, for this build:\nsurehook sites " + shellQuote(string(c.Hook.Kind)+":"+c.Target.Path+":FUNCTION"),
	}
	if len(c.Sites) > 0 {
		f.Evidence = append(f.Evidence, "in this build the place is "+where(c.Sites[0]))
	}
	return []Finding{f}
}

// has tells whether one of the two verdicts gives the reason.
func (c context) has(code sites.ReasonCode) bool { return len(c.reasons(code)) > 0 }

// reasons are the texts of the reason in both verdicts, each once.
func (c context) reasons(codes ...sites.ReasonCode) []string {
	var texts []string
	for _, j := range []sites.Judgement{c.Plain, c.Plan} {
		for _, r := range j.Reasons {
			if slices.Contains(codes, r.Code) && !slices.Contains(texts, r.Text) {
				texts = append(texts, r.Text)
			}
		}
	}
	return texts
}
