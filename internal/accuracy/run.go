package accuracy

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Options of Run.
type Options struct {
	Programs []string // empty: all
	Builds   []string // empty: all
	Oracles  []string // empty: both
	Cache    string   // directory; empty: $XDG_CACHE_HOME/surehook/accuracy or .cache/accuracy
	Keep     string   // directory that gets links to the binaries; empty: none
	// Surehook is the command to measure; empty: built from ./cmd/surehook;
	// "none": only truth and peers.
	Surehook string
	Progress io.Writer // one line a step; nil: silent
}

// Report is a whole run.
type Report struct {
	Environment []string `json:"environment"` // versions
	Sources     []string `json:"sources"`
	Rows        []Row    `json:"rows"`
}

// Run measures. It needs root, the compilers and, the first time, the network.
func Run(ctx context.Context, opts Options) (*Report, error) {
	c, err := newStore(opts.Cache)
	if err != nil {
		return nil, err
	}
	h := harness{Options: opts, store: c}
	progs, err := pick("program", programs(), func(p program) string { return p.name }, opts.Programs)
	if err != nil {
		return nil, err
	}
	blds, err := pick("build", builds(), func(b build) string { return b.name }, opts.Builds)
	if err != nil {
		return nil, err
	}
	oracles, err := pick("oracle", []string{oracleUnperturbed, oracleMarked}, func(s string) string { return s }, opts.Oracles)
	if err != nil {
		return nil, err
	}
	if h.Surehook == "" {
		if h.Surehook, err = buildSurehook(ctx, c); err != nil {
			return nil, err
		}
	}
	rep := &Report{Environment: environment(ctx)}
	for _, p := range progs {
		rep.Sources = append(rep.Sources, fmt.Sprintf("%s: Debian %s source package %s, upstream %s (%s, sha256 %s)", p.name, release, p.source.Package, p.source.Version, p.source.Tarball, p.source.SHA256))
		for _, o := range oracles {
			for _, b := range blds {
				row, err := h.row(ctx, p, b, o)
				if err != nil {
					return nil, fmt.Errorf("%s %s %s: %w", p.name, b.name, o, err)
				}
				rep.Rows = append(rep.Rows, row)
			}
		}
	}
	return rep, nil
}

// pick chooses by name, all if none is asked for.
func pick[T any](what string, all []T, name func(T) string, want []string) ([]T, error) {
	if len(want) == 0 {
		return all, nil
	}
	var names []string
	for _, t := range all {
		names = append(names, name(t))
	}
	var out []T
	for _, w := range want {
		i := slices.Index(names, w)
		if i < 0 {
			return nil, fmt.Errorf("no %s %q; there are %v", what, w, names)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// environment lists what the numbers depend on.
func environment(ctx context.Context) []string {
	var out []string
	for _, cmd := range [][]string{{"uname", "-srm"}, {"gcc", "--version"}, {"clang", "--version"}, {"perf", "--version"}, {"gdb", "--version"}} {
		if line := firstLine(ctx, cmd[0], cmd[1:]...); line != "" {
			out = append(out, line)
		} else {
			out = append(out, cmd[0]+": not on this machine")
		}
	}
	return out
}

// harness is a run under way.
type harness struct {
	Options
	store store
}

func (h harness) say(format string, args ...any) {
	if h.Progress != nil {
		fmt.Fprintf(h.Progress, format+"\n", args...)
	}
}

// row measures one build of one program against one oracle.
func (h harness) row(ctx context.Context, p program, b build, oracle string) (Row, error) {
	start := time.Now()
	bin, err := compile(ctx, h.store, p, b, oracle == oracleMarked)
	if err != nil {
		return Row{}, err
	}
	if err := h.keep(p, b, oracle, bin); err != nil {
		return Row{}, err
	}
	var t truth
	if oracle == oracleMarked {
		t, err = markedTruth(ctx, h.store, p, bin)
	} else {
		t, err = unperturbedTruth(ctx, h.store, p, b.cc)
	}
	if err != nil {
		return Row{}, fmt.Errorf("truth: %w", err)
	}
	var funcs []function
	for _, c := range t.Counts {
		funcs = append(funcs, c.Func)
	}
	peers, err := countPeers(ctx, h.store, p, bin, funcs)
	if err != nil {
		return Row{}, fmt.Errorf("peers: %w", err)
	}
	prepared := time.Now()
	own, err := h.measure(ctx, p, bin)
	if err != nil {
		return Row{}, err
	}
	tree, err := p.tree(ctx, h.store)
	if err != nil {
		return Row{}, err
	}
	img, err := readImage(bin.path, tree)
	if err != nil {
		return Row{}, err
	}
	measured := time.Since(prepared)
	row := newRow(p.name, b.name, oracle, t, peers, own, img)
	row.Seconds = measured.Seconds()
	h.say("%s %s %s: %s (prepared in %.1fs, measured in %.1fs)", p.name, b.name, oracle, row.headline(), prepared.Sub(start).Seconds(), measured.Seconds())
	return row, nil
}

// measure runs surehook, or nothing.
func (h harness) measure(ctx context.Context, p program, bin compiled) (map[function]*ours, error) {
	if h.Surehook == "none" {
		return nil, nil
	}
	w, err := newWorkload(p, bin)
	if err != nil {
		return nil, err
	}
	surehook, err := filepath.Abs(h.Surehook)
	if err != nil {
		return nil, err
	}
	own, err := countSurehook(ctx, surehook, w)
	if err != nil {
		return nil, fmt.Errorf("surehook: %w", err)
	}
	return own, nil
}

// keep links the binary's directory under a name for people.
func (h harness) keep(p program, b build, oracle string, bin compiled) error {
	if h.Keep == "" {
		return nil
	}
	if err := os.MkdirAll(h.Keep, 0o755); err != nil {
		return err
	}
	link := filepath.Join(h.Keep, p.name+"-"+b.name+"-"+oracle)
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(bin.dir, link)
}
