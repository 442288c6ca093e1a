package check

import (
	"cmp"
	"slices"
	"strings"
)

// Rule is one entry of the table of rules.
type Rule struct {
	Code     Code
	Title    string
	Severity Severity // default; a finding may be milder or worse
	Summary  string   // one sentence
	// Explanation is the gotcha with a worked example, plain text of at most
	// 78 columns; lines that begin with four spaces are shown as they are.
	Explanation string
	Remedy      string // what to do, in general

	run    func(context) []Finding             // on files; nil: no such rule
	kernel func(*kcontext) ([]kfinding, error) // on kernels; nil: no such rule
	beyond bool                                // found by neither: Fleet.Accesses, and where files are looked up
	// program is like kernel, on the code of compiled programs; nil: no such rule.
	program func(*kcontext) ([]kfinding, error)
}

// Rules is the table of all rules, by code.
func Rules() []Rule {
	var all []Rule
	all = append(all, inputRules()...)
	all = append(all, kernelRules()...)
	all = append(all, accessRules()...)
	all = append(all, programRules()...)
	all = append(all, linkRules()...)
	all = append(all, inliningRules()...)
	all = append(all, cloneRules()...)
	all = append(all, languageRules()...)
	all = append(all, togetherRules()...)
	slices.SortFunc(all, func(a, b Rule) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// Find looks a rule up by its code, in any case ("sh401").
func Find(code string) (Rule, bool) {
	for _, r := range Rules() {
		if strings.EqualFold(string(r.Code), code) {
			return r, true
		}
	}
	return Rule{}, false
}

// Gotcha is the name of the gotcha that the rule's hundreds digit stands for.
func (c Code) Gotcha() string {
	if len(c) < 3 {
		return ""
	}
	switch c[2] {
	case '0':
		return "files that are given"
	case '1':
		return "kernel versions"
	case '2':
		return "architectures"
	case '3':
		return "dynamic links"
	case '4':
		return "selective inlining"
	case '5':
		return "partial inlining and clones"
	case '6':
		return "missed executions"
	}
	return ""
}
