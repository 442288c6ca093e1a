package check

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Suffixes that compilers put behind a function's name.
var (
	partSuffix      = regexp.MustCompile(`\.part\.\d+`)
	israSuffix      = regexp.MustCompile(`\.isra\.\d+`)
	constpropSuffix = regexp.MustCompile(`\.constprop\.\d+`)
	coldSuffix      = regexp.MustCompile(`\.cold(\.\d+)?$`)
)

// part: gcc split the function into an inlined head and a tail (SH501).
func part(c context) []Finding {
	if partSuffix.MatchString(c.Hook.Function) {
		return []Finding{{
			Message: fmt.Sprintf("%s is the tail of a split function: it runs for the slow path only, not for every call", c.Hook.Function),
			Remedy:  "probe the function itself:\nsurehook trace --count " + shellQuote(c.stem(partSuffix)),
		}}
	}
	if len(c.Notes.Parts) == 0 {
		return nil
	}
	f := Finding{Severity: Info, Remedy: c.command()}
	for _, s := range c.Notes.Parts {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s at %#x is the tail: it runs when the inlined head did not return early", s.Name, s.Value))
	}
	heads := c.missedCopies()
	if len(heads) == 0 {
		f.Message = fmt.Sprintf("%s is split: its tail %s is not counted again", c.Function, c.Notes.Parts[0].Name)
		return []Finding{f}
	}
	f.Severity = Error
	f.Message = fmt.Sprintf("%s is split: %s inlined into the callers, so %s is silent for them and %s sees the slow path only",
		c.Function, headsAre(len(heads)), c.Function, c.Notes.Parts[0].Name)
	f.Evidence = append(f.Evidence, copyEvidence(heads)...)
	return []Finding{f}
}

func headsAre(n int) string {
	if n == 1 {
		return "its head is"
	}
	return fmt.Sprintf("%d copies of its head are", n)
}

// stem is the hook without the clone suffix and all that follows it.
func (c context) stem(suffix *regexp.Regexp) string {
	h := hook.Hook{Kind: c.Hook.Kind, Target: c.Target.Path, Function: c.Hook.Function}
	h.Function = h.Function[:suffix.FindStringIndex(h.Function)[0]]
	return h.String()
}

// clonesWith are the clone bodies whose symbol has the suffix.
func (c context) clonesWith(match func(symbol string) bool) (all, missed []sites.Site) {
	for _, s := range c.Sites {
		if s.Kind != sites.Clone || !match(s.Symbol) {
			continue
		}
		all = append(all, s)
		if !s.Plain {
			missed = append(missed, s)
		}
	}
	return all, missed
}

// clone makes the finding that the clone rules share.
func (c context) clone(what string, match func(symbol string) bool) []Finding {
	all, missed := c.clonesWith(match)
	if len(all) == 0 {
		return nil
	}
	f := Finding{Severity: Info, Remedy: c.command()}
	for _, s := range all {
		line := fmt.Sprintf("%s at %#x", s.Symbol, s.Address)
		if !s.Plain {
			line += ": not probed"
		}
		f.Evidence = append(f.Evidence, line)
	}
	names := all[0].Symbol
	if len(all) > 1 {
		names = plural(len(all), "clone")
	}
	switch {
	case len(missed) == 0:
		f.Message = fmt.Sprintf("%s: %s of %s; the probe is on it, but arguments may be elsewhere", names, isAre(len(all), what), source(c.Function))
	case len(c.PlainAt) == 0:
		f.Severity = Error
		f.Message = fmt.Sprintf("%s exists only as %s: a probe by its plain name cannot attach", c.Function, names)
	default:
		f.Severity = Error
		f.Message = fmt.Sprintf("calls of %s also go to %s, %s: the plain probe misses them", c.Function, names, isAre(len(missed), what))
	}
	return []Finding{f}
}

// source is the function's name without the suffixes of clones.
func source(name string) string {
	for _, suffix := range []*regexp.Regexp{partSuffix, israSuffix, constpropSuffix} {
		if at := suffix.FindStringIndex(name); at != nil {
			name = name[:at[0]]
		}
	}
	return name
}

func isAre(n int, what string) string {
	if n == 1 {
		return "a clone with " + what
	}
	return "clones with " + what
}

func isra(c context) []Finding {
	return c.clone("changed parameters", israSuffix.MatchString)
}

func constprop(c context) []Finding {
	return c.clone("constant arguments folded in", func(symbol string) bool {
		return constpropSuffix.MatchString(symbol) && !israSuffix.MatchString(symbol)
	})
}

func otherClone(c context) []Finding {
	found := c.clone("another name", func(symbol string) bool {
		return !constpropSuffix.MatchString(symbol) && !israSuffix.MatchString(symbol) && !partSuffix.MatchString(symbol)
	})
	if len(found) > 0 || len(c.PlainAt) > 0 || !c.has(sites.ReasonClone) {
		return found
	}
	for _, s := range c.Sites {
		if s.Kind == sites.Entry && s.Offset == 0 && strings.HasPrefix(s.Symbol, c.Function+".") {
			return []Finding{{
				Severity: Error,
				Message:  fmt.Sprintf("%s exists only as %s: a probe by its plain name cannot attach", c.Function, s.Symbol),
				Evidence: c.reasons(sites.ReasonClone),
				Remedy:   c.command(),
			}}
		}
	}
	return nil
}

// cold: the hook names, or its glob also matches, a part that is no entry (SH504).
func cold(c context) []Finding {
	if coldSuffix.MatchString(c.Hook.Function) {
		return []Finding{{
			Severity: Error,
			Message:  fmt.Sprintf("%s is the unlikely part of a function, jumped to from its middle: hits are not calls", c.Hook.Function),
			Remedy:   "probe the function itself:\nsurehook trace --count " + shellQuote(c.stem(coldSuffix)),
		}}
	}
	if !c.Hook.Glob() || !strings.HasSuffix(c.Hook.Function, "*") || len(c.Notes.Colds) == 0 {
		return nil
	}
	f := Finding{
		Severity: Warning,
		Message:  fmt.Sprintf("%s also matches %s, which is no entry: bpftrace would count hits there as calls", c.Hook.Function, c.Notes.Colds[0].Name),
		Remedy:   c.own(),
	}
	for _, s := range c.Notes.Colds {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s at %#x", s.Name, s.Value))
	}
	return []Finding{f}
}
