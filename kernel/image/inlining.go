package image

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// addInlining adds the inlined copies of all functions, or of those asked for,
// and the judgement of each one's plan.
func (b *builder) addInlining() error {
	s := b.core
	if s.elf == nil {
		b.withoutDebug(s.path + " is no ELF file with debug information")
		return nil
	}
	bin, err := sites.New(s.elf, sites.Options{Reserved: s.reserved(), Refused: s.unprobed(), Jumps: b.patches().jumps})
	if err != nil {
		return err
	}
	if bin.Data() == nil {
		why := s.path + " has no debug information: give the vmlinux of the debug package (linux-image-RELEASE-dbg)"
		if s.elf.HasDWARF() {
			why = s.path + ": its debug information cannot be read"
		}
		b.withoutDebug(why)
		return nil
	}
	b.survey(s, bin)
	if len(b.opts.Only) > 0 {
		b.missing(kernel.Inlining, "read for the functions asked for only: "+strings.Join(b.opts.Only, ", "))
	}
	b.unjudged()
	return b.addArgs(s, bin)
}

// unjudged says of the functions that were not looked at, or that the debug
// information does not know, that nothing is known.
func (b *builder) unjudged() {
	why := "the debug information does not describe this function: inlined copies cannot be told"
	if len(b.opts.Only) > 0 {
		why = "it was not asked for"
	}
	for _, f := range b.funcs {
		if f.Plan.Verdict == "" {
			f.Plan = sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonNoDebug, Text: why}}}
		}
	}
}

// survey takes up what sites finds of each function.
func (b *builder) survey(s *source, bin *sites.Binary) {
	var keep func(string) bool
	if only := b.opts.Only; len(only) > 0 {
		keep = func(name string) bool { return slices.Contains(only, name) || b.traces(name) }
	}
	build := buildDir(bin) + "/"
	judged := map[string]bool{}
	homes := map[uint64]string{} // function of the debug information by address of its body
	aliases := map[string]string{}
	bin.Survey(hook.Uprobe, keep, func(r *sites.Result) {
		if b.ctx.Err() != nil {
			return
		}
		name, _ := sourceName(r.Function)
		f := b.function(name)
		for i := range r.Sites {
			if c := &r.Sites[i]; c.Kind == sites.Inlined {
				f.Copies = append(f.Copies, kernel.Copy{
					Caller: c.Symbol, Offset: c.Offset, Address: c.Address, Module: s.module, Cond: c.Cond, Times: max(1, c.Times),
				})
			}
		}
		if r.DeclFile != "" {
			f.Sources = append(f.Sources, fmt.Sprintf("%s:%d", strings.TrimPrefix(r.DeclFile, build), r.DeclLine))
		}
		plan := brief(r.Plan, build)
		if header(r.DeclFile) {
			plan = besides(plan)
		}
		f.Plan = merge(f.Plan, judged[name], plan)
		judged[name] = true
		for _, y := range r.Notes.Symbols {
			homes[y.Value] = name
			if other, _ := sourceName(y.Name); other != name {
				aliases[other] = name
			}
		}
	})
	for other, name := range aliases {
		if f := b.funcs[other]; f != nil && !judged[other] {
			same := b.funcs[name]
			f.Copies, f.Plan, f.Sources = slices.Clone(same.Copies), same.Plan, slices.Clone(same.Sources)
		}
	}
	for _, f := range b.funcs {
		slices.Sort(f.Sources)
		f.Sources = slices.Compact(f.Sources)
	}
}

// header tells whether a function comes from a header, which modules include.
func header(file string) bool { return strings.HasSuffix(file, ".h") }

// besides adds that modules may hold more copies: those of modules are not read.
func besides(j sites.Judgement) sites.Judgement {
	j.Reasons = append(j.Reasons, sites.Reason{Code: sites.ReasonGap, Text: "it is declared in a header: modules may hold further inlined copies, which were not read"})
	if j.Verdict == sites.Complete {
		j.Verdict = sites.Unknown
	}
	return j
}

// buildDir is the directory that most of the kernel was compiled in.
func buildDir(bin *sites.Binary) string {
	count := map[string]int{}
	best := "."
	data := bin.Data()
	for i := range data.Units {
		dir := data.Units[i].CompDir
		if count[dir]++; dir != "" && count[dir] > count[best] {
			best = dir
		}
	}
	return best
}

// brief keeps one reason of each kind: some functions have thousands that
// differ in addresses. Files are named within the build directory.
func brief(j sites.Judgement, build string) sites.Judgement {
	count := map[sites.ReasonCode]int{}
	var out []sites.Reason
	for _, r := range j.Reasons {
		if r.Code == sites.ReasonEntry {
			continue // that there is a body is told by its symbol
		}
		if count[r.Code]++; count[r.Code] == 1 {
			if build != "" {
				r.Text = strings.ReplaceAll(r.Text, build, "")
			}
			out = append(out, sites.Reason{Code: r.Code, Text: strings.Clone(r.Text)})
		}
	}
	for i := range out {
		if n := count[out[i].Code]; n > 1 {
			out[i].Text += fmt.Sprintf(" (and %d more)", n-1)
		}
	}
	return sites.Judgement{Verdict: j.Verdict, Reasons: out}
}

// merge judges two functions of one name together.
func merge(a sites.Judgement, known bool, b sites.Judgement) sites.Judgement {
	if !known {
		return b
	}
	if a.Verdict != b.Verdict && (a.Verdict == sites.None || b.Verdict == sites.None) {
		a.Verdict, b.Verdict = sites.Partial, sites.Partial
	}
	order := []sites.Verdict{sites.Complete, sites.Unknown, sites.Partial, sites.None}
	if cmp.Compare(slices.Index(order, a.Verdict), slices.Index(order, b.Verdict)) < 0 {
		a, b = b, a
	}
	if a.Verdict == b.Verdict {
		a.Reasons = append(a.Reasons, b.Reasons...)
	}
	return brief(a, "")
}

// withoutDebug notes that inlining is not known, for every function.
func (b *builder) withoutDebug(why string) {
	b.missing(kernel.Inlining, why)
	unknown := sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonNoDebug, Text: "no debug information: inlined copies cannot be told"}}}
	for _, f := range b.funcs {
		f.Plan = unknown
	}
}
