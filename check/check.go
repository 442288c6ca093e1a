package check

import (
	"strings"

	"github.com/surehook/surehook/sites"
)

// Check runs every rule over the results of one hook. The findings come in
// the order of results, then of rules.
func Check(results []sites.Result, in Input) []Finding {
	rules := Rules()
	var all []Finding
	said := map[string]bool{} // functions of one name would say the same
	for i := range results {
		c := context{Result: &results[i], in: in}
		for _, rule := range rules {
			if rule.run == nil {
				continue
			}
			for _, f := range rule.run(c) {
				key := string(rule.Code) + f.Message + strings.Join(f.Evidence, "\n")
				if !said[key] {
					said[key] = true
					all = append(all, c.complete(f, rule))
				}
			}
		}
	}
	return all
}

// complete fills in what every finding of a rule has in common.
func (c context) complete(f Finding, rule Rule) Finding {
	f.Rule, f.Hook, f.Function = rule.Code, c.Hook, c.Function
	if f.Severity == "" {
		f.Severity = rule.Severity
	}
	if f.Remedy == "" {
		f.Remedy = rule.Remedy
	}
	return f
}

// Judge folds the verdicts of all functions of one hook into one.
func Judge(results []sites.Result) Verdict {
	v := Verdict{Plain: sites.Unknown, Plan: sites.Unknown, Functions: len(results)}
	if len(results) == 0 {
		return v
	}
	v.Hook, v.Plain, v.Plan = results[0].Hook, results[0].Plain.Verdict, results[0].Plan.Verdict
	for _, r := range results[1:] {
		v.Plain = fold(v.Plain, r.Plain.Verdict)
		v.Plan = fold(v.Plan, r.Plan.Verdict)
	}
	return v
}

// fold combines the verdicts of two functions that one hook names. What is
// lost for certain wins over what cannot be told; what cannot be told is
// never folded into "complete" or "none".
func fold(a, b sites.Verdict) sites.Verdict {
	switch {
	case a == b:
		return a
	case a == sites.Partial || b == sites.Partial:
		return sites.Partial
	case a == sites.Unknown || b == sites.Unknown:
		return sites.Unknown
	}
	return sites.Partial // complete and none
}

// Worse gives the worse of two severities; "" is none.
func Worse(a, b Severity) Severity {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Worst is the worst severity among findings that nobody accepts, "" if there
// are none.
func Worst(findings []Finding) Severity {
	var worst Severity
	for _, f := range findings {
		if f.Accepted == "" {
			worst = Worse(worst, f.Severity)
		}
	}
	return worst
}
