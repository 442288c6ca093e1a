//go:build linux && (amd64 || arm64)

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/unix"
)

// RunWorkload measures what the probes of plans cost a command: its processor
// time with them and without, in turns, by the hits in one run of it. The
// probes are attached for all processes, as Options say otherwise the same as
// for Run; Options.Kinds, Batch and Dir mean nothing here.
func RunWorkload(ctx context.Context, w Workload, plans []attach.Plan, opts Options) (report *Report, err error) {
	if err := attach.Permitted(); err != nil {
		return nil, err
	}
	if w.Hits == 0 {
		return nil, fmt.Errorf("%s does not run %s: there is nothing to measure", strings.Join(w.Command, " "), w.Hook)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if opts.Works == nil {
		opts.Works = []Work{Simple}
	}
	b, err := newBench(opts)
	if err != nil {
		return nil, err
	}
	b.report.Workload = &w
	runs := workload{bench: b, Workload: w}
	defer func() { err = errors.Join(err, runs.close()) }()
	runs.load(plans)
	if err := runs.measure(ctx); err != nil {
		return nil, err
	}
	runs.conclude()
	return b.report, nil
}

// workload is the measurement of a command.
type workload struct {
	Workload
	bench    *bench
	contests []*contest
}

// contest is one way to attach all places with one work.
type contest struct {
	way    way
	figure *Figure
	progs  []*bpf.Work // one, or one a place

	untraced, traced, cost []float64 // ns a hit, one a round
}

// load makes the contests and loads their programs.
func (r *workload) load(plans []attach.Plan) {
	ways := ways(plans)
	for _, w := range ways {
		for _, work := range r.bench.opts.Works {
			r.bench.report.Figures = append(r.bench.report.Figures, Figure{Kind: w.name, Place: w.place(), Work: work})
			r.contests = append(r.contests, &contest{way: w})
		}
	}
	for i, c := range r.contests {
		c.figure = &r.bench.report.Figures[i]
		for n, t := range c.way.targets {
			if n > 0 && !c.way.mech.own() {
				break
			}
			prog, err := c.way.mech.load(c.figure.Work, t)
			if err != nil {
				c.figure.Unavailable = c.way.mech.explain(t, err)
				break
			}
			c.progs = append(c.progs, prog)
		}
	}
}

// measure runs the command with and without, in turns and in random order.
func (r *workload) measure(ctx context.Context) error {
	restore, err := unix.PinThread(r.bench.cpu)
	if err != nil {
		return err
	}
	defer restore()
	rng := rand.New(rand.NewPCG(r.bench.opts.Seed, 0))
	before, done := cpuTimes(r.bench.cpu), 0
	for range r.bench.opts.Rounds {
		rng.Shuffle(len(r.contests), func(i, j int) { r.contests[i], r.contests[j] = r.contests[j], r.contests[i] })
		for _, c := range r.contests {
			if err := r.round(ctx, c, rng.IntN(2)); err != nil {
				return err
			}
			if done++; r.bench.opts.Progress != nil {
				r.bench.opts.Progress(done, r.bench.opts.Rounds*len(r.contests))
			}
		}
	}
	r.bench.report.Noise.Stolen = stolen(before, cpuTimes(r.bench.cpu))
	return nil
}

// round runs the command twice; first says whether it is traced first.
func (r *workload) round(ctx context.Context, c *contest, first int) error {
	if c.figure.Unavailable != "" {
		return nil
	}
	var took [2]time.Duration
	for _, traced := range []int{first, 1 - first} {
		var links closers
		if traced == 1 {
			if err := c.attach(&links); err != nil {
				c.figure.Unavailable = err.Error()
				return links.Close()
			}
		}
		d, err := r.run(ctx)
		if traced == 1 && err == nil {
			err = c.settle(r.Hits)
		}
		if err := errors.Join(err, links.Close()); err != nil {
			return err
		}
		took[traced] = d
	}
	for _, prog := range c.progs {
		if err := prog.Reset(); err != nil {
			return err
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(r.Hits) }
	c.untraced, c.traced = append(c.untraced, each(took[0])), append(c.traced, each(took[1]))
	c.cost = append(c.cost, each(took[1])-each(took[0]))
	return nil
}

// attach puts the programs on all places.
func (c *contest) attach(links *closers) error {
	m, all := c.way.mech, c.way.targets
	if m.many() {
		for _, ret := range []bool{false, true} { // each is a link of its own
			part := slices.DeleteFunc(slices.Clone(all), func(t target) bool { return t.ret != ret })
			if len(part) == 0 {
				continue
			}
			l, err := m.putAll(c.progs[0].Prog, part)
			if err != nil {
				return errors.New(m.explain(part[0], err))
			}
			*links = append(*links, l)
		}
		return nil
	}
	for i, t := range all {
		prog := c.progs[0]
		if m.own() {
			prog = c.progs[i]
		}
		l, err := m.put(prog.Prog, t)
		if err != nil {
			return errors.New(m.explain(t, err))
		}
		*links = append(*links, l)
	}
	return nil
}

// settle notes what the programs counted, in all processes.
func (c *contest) settle(hits uint64) error {
	for _, prog := range c.progs {
		n, counts, err := prog.RanAll()
		if err != nil || !counts {
			return err
		}
		c.figure.Runs.Ran += n
	}
	if len(c.progs) > 0 {
		c.figure.Runs.Calls += hits
	}
	return nil
}

// words bounds what is told of a command that failed.
const words = 400

// run runs the command once and gives the processor time of it and of what it
// waited for.
func (r *workload) run(ctx context.Context) (time.Duration, error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, r.Command[0], r.Command[1:]...)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		text := strings.TrimSpace(said.String())
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(r.Command, " "), err, text[:min(len(text), words)])
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func (r *workload) conclude() {
	contests := map[Work][]rival{}
	for _, c := range r.contests {
		f := c.figure
		if f.Unavailable != "" {
			f.Runs = Runs{}
			continue
		}
		f.Rounds = len(c.cost)
		f.Untraced, _ = interval(c.untraced)
		f.Traced, _ = interval(c.traced)
		f.Cost, r.bench.report.Confidence = interval(c.cost)
		contests[f.Work] = append(contests[f.Work], rival{f, c.cost})
	}
	if r.bench.report.Ranked() {
		for _, rivals := range contests {
			rank(rivals)
		}
	}
}

func (r *workload) close() error {
	for _, c := range r.contests {
		for _, prog := range c.progs {
			prog.Close()
		}
	}
	return r.bench.remove()
}

// closers closes all of them.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, l := range slices.Backward(c) {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
