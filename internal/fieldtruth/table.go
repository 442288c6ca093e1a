package fieldtruth

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// Wrong are the predictions that did not come true.
func Wrong(list []*Prediction) []*Prediction {
	var out []*Prediction
	for _, p := range list {
		if p.Done && p.Attaches != kernel.NotKnown && !p.Right() {
			out = append(out, p)
		}
	}
	return out
}

const head = `# What check says of Debian's libbpf-tools, and what kernels do

Made by ` + "`make fieldtruth`" + `. Every program of the tools (%s) is one question on each kernel that
its architecture has: can it be loaded by itself, and attached where its section says, or where its loader may put it? Check
answers from files; then a virtual machine with that kernel tries it with libbpf, which the tools are linked
with. Programs whose place only their loader
knows are loaded, no more; fentry programs of that kind (fsdist's) cannot be, and are left out. The kernel's modules are loaded where
a place is in one.
`

// score is how many predictions came true.
type score struct{ no, noRight, yes, yesRight, unknown int }

func (s *score) add(p *Prediction) {
	switch p.Attaches {
	case kernel.No:
		s.no++
		if p.Right() {
			s.noRight++
		}
	case kernel.Yes:
		s.yes++
		if p.Right() {
			s.yesRight++
		}
	default:
		s.unknown++
	}
}

// Write writes the page.
func Write(w io.Writer, all []Prediction, breaks, passes []int) {
	var suites []string
	for _, s := range Suites() {
		suites = append(suites, s.Name+" "+s.Arch)
	}
	fmt.Fprintf(w, head, strings.Join(suites, ", "))
	fmt.Fprintf(w, "\n## By a fixed seed\n\n%d breaks and %d passes, of all tools and kernels (seed %d).\n", len(breaks), len(passes), Seed)
	for _, side := range []struct {
		name string
		list []int
	}{{"breaks", breaks}, {"passes", passes}} {
		right, done := 0, 0
		for _, i := range side.list {
			if all[i].Done {
				done++
			}
			if all[i].Done && all[i].Right() {
				right++
			}
		}
		fmt.Fprintf(w, "\n### %s: %d of %d as said\n\n| kernel | tool | program | where | said | the kernel |\n|---|---|---|---|---|---|\n", side.name, right, done)
		for _, i := range side.list {
			all[i].row(w)
		}
	}
	writeAll(w, all)
}

func (p *Prediction) row(w io.Writer) {
	said := "attaches"
	if p.Kind == "" {
		said = "loads"
	}
	if p.Attaches == kernel.No {
		said = p.Rule + ": " + p.Why
	}
	got := "did it"
	if p.Got.Stage != "" {
		got = p.Got.Stage + ": " + p.Got.Error
	}
	fmt.Fprintf(w, "| %s | %s %s | `%s` | `%s` | %s | %s |\n", strings.TrimPrefix(p.Kernel, "debian-"), p.Tool.Suite.Name, p.Tool.Name, p.Program, p.Hook, cell(said), cell(got))
}

// cell is text in a table.
func cell(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(strings.NewReplacer("|", "/", "`", "'", "<", "&lt;").Replace(s)), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// writeAll writes the table of all that were tried, and those that came out
// otherwise.
func writeAll(w io.Writer, all []Prediction) {
	scores := map[string]*score{}
	var names []string
	var list []*Prediction
	for i := range all {
		p := &all[i]
		if !p.Done {
			continue
		}
		list = append(list, p)
		if scores[p.Kernel] == nil {
			scores[p.Kernel] = &score{}
			names = append(names, p.Kernel)
		}
		scores[p.Kernel].add(p)
	}
	fmt.Fprintf(w, "\n## All that were tried\n\n| kernel | said: no | right | said: yes | right | not known before |\n|---|---|---|---|---|---|\n")
	sum := score{}
	for _, n := range names {
		s := scores[n]
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d |\n", strings.TrimPrefix(n, "debian-"), s.no, s.noRight, s.yes, s.yesRight, s.unknown)
		sum = score{sum.no + s.no, sum.noRight + s.noRight, sum.yes + s.yes, sum.yesRight + s.yesRight, sum.unknown + s.unknown}
	}
	fmt.Fprintf(w, "| **all** | %d | %d | %d | %d | %d |\n", sum.no, sum.noRight, sum.yes, sum.yesRight, sum.unknown)
	wrong := Wrong(list)
	slices.SortFunc(wrong, func(a, b *Prediction) int { return cmp.Compare(a.key(), b.key()) })
	if len(wrong) > 0 {
		fmt.Fprintf(w, "\n### Otherwise than said\n\n| kernel | tool | program | where | said | the kernel |\n|---|---|---|---|---|---|\n")
		for _, p := range wrong {
			p.row(w)
		}
	}
}
