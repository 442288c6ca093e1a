package fieldreport

import (
	"fmt"
	"io"
)

// published is what DepSurf's authors have for their programs: in how many of
// those with dependencies of a kind a class was found, counted from the table
// that is saved in 52_table.ipynb of github.com/ShawnZhong/DepSurf (commit
// 1623e4f): 56 rows, those of libbpf-tools and Tracee.
func published() []struct {
	class    Class
	kind     string
	programs int
} {
	return []struct {
		class    Class
		kind     string
		programs int
	}{
		{FuncAbsent, "function", 10}, {FuncChanged, "function", 14}, {FuncFull, "function", 6}, {FuncSelective, "function", 14},
		{FuncTransformed, "function", 14}, {FuncDuplicated, "function", 2}, {StructAbsent, "struct", 13},
		{FieldAbsent, "field", 36}, {FieldChanged, "field", 10}, {EventAbsent, "tracepoint", 10}, {EventChanged, "tracepoint", 18},
	}
}

// publishedTotals are how many of their programs have such dependencies.
func publishedTotals() map[string]int {
	return map[string]int{"function": 25, "struct": 48, "field": 48, "tracepoint": 25}
}

const classHead = `
## The same classes as DepSurf's

Zhong, Liu, Arpaci-Dusseau, Arpaci-Dusseau, *Revealing the Unstable Foundations of eBPF-Based Kernel Extensions* (EuroSys 2025,
[doi 10.1145/3689031.3717497](https://doi.org/10.1145/3689031.3717497)) looked at 25 kernel images of Ubuntu and 53 programs, and found 83 %% of them
affected. Their figures here are counted from the table saved in their repository's notebook 52_table.ipynb (56 rows: libbpf-tools
and Tracee); the paper's own text was not at hand. A cell is how many tools have at least one such dependency, of those that have
any of that kind. Ours are the tools of each suite over %d kernels of Debian, whose inlining is known (%s).

| class | %s | DepSurf |
|---|%s
`

const classFoot = `
Not the same: their kernels are Ubuntu's from 4.4 to 6.8, with other architectures; Tracee is not in Debian. They call a function
selectively inlined where debug information declares it inline and a symbol is there; here it has a body and at least one inlined
copy in code. *Transformed* is a symbol with a suffix, .cold among them, as they count. Names that a tool computes at run time
(fsdist's) are in none of ours, those in its code are. *Changed* of a field is its type or size; what the program guards is counted.
`

// WriteClasses writes the table of classes.
func WriteClasses(w io.Writer, names []string, surfaces []*Surface, kernels string, count int) {
	columns, rule := "", "---|"
	for i, n := range names {
		if i > 0 {
			columns += " | "
		}
		columns += n
		rule += "---|"
	}
	fmt.Fprintf(w, classHead, count, kernels, columns, rule)
	totals := publishedTotals()
	share := func(n, all int) string {
		if all == 0 {
			return "–"
		}
		return fmt.Sprintf("%d of %d, %d %%", n, all, (100*n+all/2)/all)
	}
	for _, p := range published() {
		fmt.Fprintf(w, "| %s |", p.class)
		for _, s := range surfaces {
			n, all := 0, 0
			if c := s.Classes[p.class]; c != nil {
				n = len(c.Tools)
			}
			if t := s.Total[p.kind]; t != nil {
				all = len(t.Tools)
			}
			fmt.Fprintf(w, " %s |", share(n, all))
		}
		fmt.Fprintf(w, " %s |\n", share(p.programs, totals[p.kind]))
	}
	fmt.Fprintf(w, "| any of them |")
	for _, s := range surfaces {
		any, all := map[string]bool{}, map[string]bool{}
		for _, c := range s.Classes {
			for t := range c.Tools {
				any[t] = true
			}
		}
		for _, c := range s.Total {
			for t := range c.Tools {
				all[t] = true
			}
		}
		fmt.Fprintf(w, " %s |", share(len(any), len(all)))
	}
	fmt.Fprint(w, " 83 % (paper) |\n", classFoot)
}
