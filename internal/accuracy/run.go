package accuracy

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options of Run.
type Options struct {
	Programs []string // empty: all
	Heldout  bool     // the programs kept apart instead of the others
	Builds   []string // empty: all
	Oracles  []string // empty: both
	Archs    []string // of the binaries; empty: all
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
	all := programs()
	if opts.Heldout {
		all = heldout()
	}
	progs, err := pick("program", all, func(p program) string { return p.name }, opts.Programs)
	if err != nil {
		return nil, err
	}
	tasks, err := tasksOf(progs, opts)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.dir, "surehook-") // another run may measure another version
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if h.Surehook == "" {
		if h.Surehook, err = buildSurehook(ctx, dir); err != nil {
			return nil, err
		}
	}
	h.guest = sync.OnceValues(func() (*guest, error) { return newGuest(ctx, archARM64, dir) })
	rep := &Report{Environment: environment(ctx)}
	for _, p := range progs {
		rep.Sources = append(rep.Sources, fmt.Sprintf("%s: Debian %s source package %s, upstream %s (%s, sha256 %s)", p.name, release, p.source.Package, p.source.Version, p.source.Tarball, p.source.SHA256))
	}
	rep.Rows, err = h.rows(ctx, tasks)
	return rep, err
}

// tasksOf lists the rows of the programs that the options leave.
func tasksOf(progs []program, opts Options) ([]task, error) {
	oracles, err := pick("oracle", []string{oracleUnperturbed, oracleMarked}, func(s string) string { return s }, opts.Oracles)
	if err != nil {
		return nil, err
	}
	wanted := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	var tasks []task
	for _, p := range progs {
		for _, arch := range []string{archAMD64, archARM64} {
			for _, o := range oracles {
				if o == oracleMarked && p.own() {
					continue
				}
				for _, b := range p.builds {
					if b.arch == arch && wanted(opts.Builds, b.name) && wanted(opts.Archs, arch) {
						tasks = append(tasks, task{p, b, o})
					}
				}
			}
		}
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("no row has one of the builds %v and the architectures %v", opts.Builds, opts.Archs)
	}
	return tasks, nil
}

// task is one row to be measured.
type task struct {
	p      program
	b      build
	oracle string
}

// rows measures as many rows at a time as there are processors. Each has a
// binary of its own, and hits are counted by binary, so they do not disturb
// one another. The first error ends the run.
func (h harness) rows(ctx context.Context, tasks []task) ([]Row, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rows := make([]Row, len(tasks))
	slots := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	for i, t := range tasks {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			row, err := h.row(ctx, t.p, t.b, t.oracle)
			if err != nil {
				cancel(fmt.Errorf("%s %s %s %s: %w", t.p.name, t.b.arch, t.b.name, t.oracle, err))
			}
			rows[i] = row
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return rows, nil
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
	guest func() (*guest, error) // for arm64, made when it is first needed
}

// machine is where binaries of the architecture run.
func (h harness) machine(arch string) (machine, error) {
	if arch == archAMD64 {
		return here{}, nil
	}
	return h.guest()
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
	on, err := h.machine(b.arch)
	if err != nil {
		return Row{}, err
	}
	var t truth
	if oracle == oracleMarked {
		t, err = markedTruth(ctx, h.store, on, p, bin)
	} else {
		t, err = unperturbedTruth(ctx, h.store, on, p, b)
	}
	if err != nil {
		return Row{}, fmt.Errorf("truth: %w", err)
	}
	row := Row{Program: p.name, Build: b.name, Oracle: oracle, Arch: b.arch, LTO: b.lto(), Alone: b.arch != archAMD64 || p.lang != "" || b.alone()}
	var peers []peerCount
	if !row.Alone {
		if peers, err = countPeers(ctx, h.store, p, bin, t.functions()); err != nil {
			return Row{}, fmt.Errorf("peers: %w", err)
		}
	}
	prepared := time.Now()
	own, err := h.measure(ctx, on, p, bin)
	if err != nil {
		return Row{}, err
	}
	tree, err := p.tree(ctx, h.store)
	if err != nil {
		return Row{}, err
	}
	img, err := p.image(bin.path, tree)
	if err != nil {
		return Row{}, err
	}
	measured := time.Since(prepared)
	row = newRow(row, t, peers, own, img)
	row.Seconds = measured.Seconds()
	h.say("%s: %s (prepared in %.1fs, measured in %.1fs)", row.name(), row.headline(), prepared.Sub(start).Seconds(), measured.Seconds())
	return row, nil
}

// measure runs surehook, or nothing.
func (h harness) measure(ctx context.Context, on machine, p program, bin compiled) (map[function]*ours, error) {
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
	own, err := countSurehook(ctx, on, surehook, w)
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
	link := filepath.Join(h.Keep, strings.ReplaceAll(Row{Program: p.name, Build: b.name, Oracle: oracle, Arch: b.arch}.name(), " ", "-"))
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(bin.dir, link)
}
