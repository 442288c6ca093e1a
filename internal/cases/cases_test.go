package cases

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/counted"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the want sections")
	flag.String("keep", "", "build the programs in this directory, a directory each, and do no more")
	flag.String("built", "", "take the programs from there: where no compilers are")
	flag.Parse()
	os.Exit(m.Run())
}

// readCases reads testdata/*.txtar, by name.
func readCases(t *testing.T) map[string]*testCase {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the cases are for compilers of linux/amd64")
	}
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	cases := map[string]*testCase{}
	for _, path := range paths {
		c, err := readCase(path)
		if err != nil {
			t.Error(err)
			continue
		}
		cases[strings.TrimSuffix(filepath.Base(path), ".txtar")] = c
	}
	return cases
}

// TestCases runs every case.
func TestCases(t *testing.T) {
	for name, c := range readCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.test(t)
		})
	}
}

func (c *testCase) test(t *testing.T) {
	var mu sync.Mutex
	got := map[string]string{}
	if updating() {
		t.Cleanup(func() {
			if err := c.update(got); err != nil {
				t.Error(err)
			}
		})
	}
	for _, v := range c.variants {
		run := func(t *testing.T) {
			if text, ok := c.testVariant(t, v); ok {
				mu.Lock()
				got[v.name] = text
				mu.Unlock()
			}
		}
		if v.name == "" {
			run(t)
			continue
		}
		t.Run(v.name, run)
	}
}

// probed is a built program with what was resolved and counted.
type probed struct {
	*testCase
	t        *testing.T
	dir      string
	binary   *sites.Binary // of the first hook
	results  []sites.Result
	of       []string // the hook of each result
	errs     []string // of hooks that do not resolve, as want lines
	function string   // the first hooked
	graphs   map[*dwarfinfo.Func]*flow.Graph

	live    bool // the counts are known
	counts  []counted.Count
	entryPC uint64
}

// testVariant gives the variant's want section, and whether it is whole.
func (c *testCase) testVariant(t *testing.T, v variant) (string, bool) {
	p := &probed{testCase: c, t: t, graphs: map[*dwarfinfo.Func]*flow.Graph{}}
	var known bool
	if p.dir, known = c.programs(t, v); keeping() != "" {
		return "", false
	}
	p.resolve()
	defer p.binary.Close()
	unable := p.count()
	if known {
		p.check(t, v.expect)
	}
	text := p.want(v.want)
	switch {
	case !known:
		return "", false
	case updating():
		if unable != "" && unable != attach.ErrHazard.Error() {
			t.Error("-update needs the counts: " + unable)
			return "", false
		}
		return text, true
	}
	want := v.want
	if unable != "" || want == withoutCounts(want) {
		want, text = withoutCounts(want), withoutCounts(text)
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if unable != "" {
		t.Skip("executions were not counted: " + unable)
	}
	return text, true
}

// resolve finds the sites of every hook. Open is asked to find debug files in
// the case's directories only.
func (p *probed) resolve() {
	open := map[string]*sites.Binary{}
	for _, text := range p.hooks {
		h, err := hook.Parse(text)
		if err != nil {
			p.t.Fatal(err)
		}
		path := filepath.Join(p.dir, h.Target)
		b := open[path]
		if b == nil {
			dirs := []string{filepath.Join(p.dir, "none")}
			for _, d := range p.debug {
				dirs = append(dirs, filepath.Join(p.dir, d))
			}
			if b, err = sites.Open(path, sites.Options{Debug: elfbin.DebugOptions{Root: os.DirFS("/"), Dirs: dirs}}); err != nil {
				p.t.Fatal(err)
			}
			open[path] = b
			if p.binary == nil {
				p.binary = b
			} else {
				defer b.Close()
			}
		}
		results, err := b.Resolve(h)
		if (err == nil) == (len(results) == 0) {
			p.t.Errorf("%s: %d results and error %v", text, len(results), err)
		}
		if err != nil {
			p.errs = append(p.errs, fmt.Sprintf("%s\n  error %T\n", text, err))
		}
		for _, r := range results {
			if h.Glob() && !p.hasTruth(text, &r) {
				continue // what the C library brings along
			}
			p.results, p.of = append(p.results, r), append(p.of, text)
		}
	}
	if len(p.results) > 0 {
		p.function = p.results[0].Function
	}
}

// truthOf is the truth of a result: by hook, by function@file, by function.
func (p *probed) truthOf(text string, r *sites.Result) (uint64, bool) {
	key, ok := p.truthKey(text, r)
	return p.truth[key], ok
}

// truthKey gives what a function's truth is written under.
func (p *probed) truthKey(text string, r *sites.Result) (string, bool) {
	for _, key := range []string{text, r.Function + "@" + filepath.Base(r.DeclFile), r.Function} {
		if _, ok := p.truth[key]; ok {
			return key, true
		}
	}
	return "", false
}

func (p *probed) hasTruth(text string, r *sites.Result) bool {
	_, ok := p.truthOf(text, r)
	return ok
}

// count runs the command with all sites attached. It returns why it cannot,
// and "" also when there is nothing to run.
func (p *probed) count() (unable string) {
	if p.run == "" || len(p.results) == 0 {
		return ""
	}
	all := append([]sites.Result(nil), p.results...)
	all = append(all, p.entryPCs())
	back, of := p.returning()
	all = append(all, back...)
	words, err := live.Split(p.run)
	if err != nil {
		p.t.Fatal(err)
	}
	count := p.trace
	if arch := p.binary.File().Arch().String(); arch != runtime.GOARCH {
		count = p.emulate
	}
	counts, unable := count(all, words)
	if unable != "" {
		return unable
	}
	last := len(counts) - 1 - len(back)
	p.counts, p.entryPC, p.live = counts[:last], counts[last].Executions, true
	p.checkReturns(counts[last+1:], of)
	return ""
}

// trace counts with probes.
func (p *probed) trace(all []sites.Result, words []string) (counts []counted.Count, unable string) {
	if t := tally.New(all, tally.Options{}); t.Probes() == 0 {
		none := func(plan, probe int) tally.Hits { return tally.Hits{} }
		return t.Count(none, nil), ""
	}
	session, err := live.Open(all, live.Options{})
	// A probe that is dangerous on this kernel is refused, which is right.
	for _, no := range []error{attach.ErrNotPermitted, attach.ErrNotSupported, attach.ErrHazard} {
		if errors.Is(err, no) {
			return nil, no.Error()
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
	defer session.Close()
	if out, err := command(p.t, p.dir, words).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.run, err, out)
	}
	if err := session.Detach(); err != nil {
		p.t.Fatal(err)
	}
	if counts, err = session.Counts(); err != nil {
		p.t.Fatal(err)
	}
	return counts, ""
}

// entryPCs makes a result of what perf probe takes for the beginnings of the
// first function: the entry PCs of copies, and the bodies. What would be
// dangerous to probe is left out.
func (p *probed) entryPCs() sites.Result {
	r := sites.Result{Hook: p.results[0].Hook, Function: "entry PCs", Target: p.results[0].Target}
	d := p.binary.Data()
	if d == nil {
		return r
	}
	seen := map[uint64]bool{}
	add := func(addr uint64) {
		off, ok := p.binary.File().FileOffset(addr)
		nop := strings.HasPrefix(string(p.binary.File().Bytes(addr, 2)), "\x0f\x1f")
		if ok && !nop && addr != 0 && !seen[addr] {
			seen[addr] = true
			r.Sites = append(r.Sites, sites.Site{FileOffset: off, Address: addr})
		}
	}
	for _, fn := range p.bodyDIEs(p.function) {
		add(fn.Ranges[0].Low)
	}
	for _, c := range p.copies(p.function) {
		if len(d.Funcs[c.Func].Ranges) == 0 {
			continue // the linker dropped it, and marked it with -1
		}
		if i, ok := p.graph(&d.Funcs[c.Func]).At(entryOf(c)); ok && !p.graph(&d.Funcs[c.Func]).Insns[i].Nop {
			add(entryOf(c))
		}
	}
	return r
}
