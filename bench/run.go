//go:build linux && (amd64 || arm64)

package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/caller"
	"github.com/surehook/surehook/internal/unix"
)

// bench is a run.
type bench struct {
	opts     Options
	dir      string
	cpu      int
	report   *Report
	subjects []*subject
	done     int
	// recursion tells whether the kernel counts recursion misses.
	recursion func() bool
	quiet     *quiet
	// ranIn tells how often a program ran in a process.
	ranIn func(*bpf.Work, *caller.Process) (n uint64, counts bool, err error)
}

// Run measures. It holds its thread, and one CPU for the process that it
// starts; everything that it attaches is gone when it returns. A kind that this
// kernel does not have is a Figure that says why, no error. Errors are those of
// attach.Open.
func Run(ctx context.Context, opts Options) (report *Report, err error) {
	if err := attach.Permitted(); err != nil {
		return nil, err
	}
	// The processes that are measured end with the thread that started them.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b, err := newBench(opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		b.close()
		err = errors.Join(err, b.remove())
	}()
	if err := b.load(); err != nil {
		return nil, err
	}
	if b.quiet, err = newQuiet(b.dir, b.cpu, b.opts.Patience); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.quiet.process.Close()) }()
	before := cpuTimes(b.cpu)
	rng := rand.New(rand.NewPCG(b.opts.Seed, 0))
	for range b.opts.Rounds {
		rng.Shuffle(len(b.subjects), func(i, j int) { b.subjects[i], b.subjects[j] = b.subjects[j], b.subjects[i] })
		for _, s := range b.subjects {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := b.quietly(ctx, s, rng); err != nil {
				return nil, err
			}
			b.progress()
		}
	}
	b.report.Noise.Stolen = stolen(before, cpuTimes(b.cpu))
	b.report.Noise.Slow, b.report.Noise.Waited = b.quiet.slow, b.quiet.waited.Seconds()
	b.conclude()
	return b.report, nil
}

// byThread counts the process's own runs.
func byThread(w *bpf.Work, p *caller.Process) (uint64, bool, error) { return w.Ran(uint32(p.PID())) }

// byAll counts those of all processes: in a PID namespace a process does not
// know the number by which programs know it.
func byAll(w *bpf.Work, _ *caller.Process) (uint64, bool, error) { return w.RanAll() }

// countsRecursion asks the kernel's types whether bpf_prog_info has the count;
// the library gives 0 for a field that is not there.
func countsRecursion() bool {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return false
	}
	var info *btf.Struct
	return spec.TypeByName("bpf_prog_info", &info) == nil &&
		slices.ContainsFunc(info.Members, func(m btf.Member) bool { return m.Name == "recursion_misses" })
}

func newBench(opts Options) (*bench, error) {
	if opts.Rounds <= 0 {
		opts.Rounds = DefaultRounds
	}
	if opts.Batch <= 0 {
		opts.Batch = time.Millisecond
	}
	if len(opts.Works) == 0 {
		opts.Works = Works()
	}
	for _, w := range opts.Works {
		if !slices.Contains(Works(), w) {
			return nil, fmt.Errorf("no program is called %q; there are %v", w, Works())
		}
	}
	cpus, err := unix.CPUs()
	if err != nil {
		return nil, err
	}
	b := &bench{opts: opts, cpu: cpus[len(cpus)-1], recursion: sync.OnceValue(countsRecursion), ranIn: byThread}
	if !unix.InitialPIDs() {
		b.ranIn = byAll
	}
	if opts.CPU != nil {
		if b.cpu = *opts.CPU; !slices.Contains(cpus, b.cpu) {
			return nil, fmt.Errorf("CPU %d is none that this process may run on: %v", b.cpu, cpus)
		}
	}
	if b.dir, err = os.MkdirTemp(opts.Dir, "surehook-bench-"); err != nil {
		return nil, err
	}
	release, err := unix.Release()
	if err != nil {
		return nil, err
	}
	b.report = &Report{Kernel: release, Arch: runtime.GOARCH, Machine: processor(), CPU: b.cpu, Seed: opts.Seed}
	return b, nil
}

// load makes the subjects and loads their programs.
func (b *bench) load() error {
	known := map[string]bool{}
	for _, k := range table() {
		known[k.name] = true
		if len(b.opts.Kinds) > 0 && !slices.Contains(b.opts.Kinds, k.name) {
			continue
		}
		for _, w := range b.opts.Works {
			b.report.Figures = append(b.report.Figures, Figure{Kind: k.name, Place: k.place, Work: w})
			b.subjects = append(b.subjects, &subject{kind: k, target: k.inKernel()})
		}
	}
	for _, name := range b.opts.Kinds {
		if !known[name] {
			return fmt.Errorf("no kind of hookpoint is called %q", name)
		}
	}
	inside := sync.OnceValue(func() inner { return b.seek(kind{name: "kprobe", mech: kprobe}) })
	for i, s := range b.subjects {
		s.figure = &b.report.Figures[i]
		if s.kind.mech == nothing {
			continue
		}
		if s.kind.armed != anyhow {
			if s.target, s.figure.Unavailable = inside().place(s.kind); s.figure.Unavailable != "" {
				continue
			}
			s.figure.Place = s.target.String()
		}
		var err error
		if s.prog, err = s.kind.mech.load(s.figure.Work, s.target); err != nil {
			s.figure.Unavailable = s.kind.mech.explain(s.target, err)
		}
	}
	return nil
}

// round measures one subject once, in fresh processes: where a process's memory
// lies is then another each time, and part of the spread.
func (b *bench) round(ctx context.Context, s *subject, rng *rand.Rand) (err error) {
	p := &probe{subject: s, bench: b}
	if p.hot, err = caller.Start(b.dir, b.cpu); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.hot.Close()) }()
	stop := context.AfterFunc(ctx, p.hot.Kill)
	defer stop()
	p.plain = p.hot
	measure := p.toggle
	if s.kind.user() {
		measure = p.twin
		if p.plain, err = caller.Start(b.dir, b.cpu); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.plain.Close()) }()
		stop := context.AfterFunc(ctx, p.plain.Kill)
		defer stop()
	}
	err = measure(rng)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.report.Noise.Requests += p.requests
	b.report.Noise.Interrupted += p.hot.Interrupted()
	if p.plain != p.hot {
		b.report.Noise.Interrupted += p.plain.Interrupted()
	}
	if s.prog != nil {
		err = errors.Join(err, s.prog.Reset())
	}
	return s.failed(err)
}

// progress tells whoever asks how much is done.
func (b *bench) progress() {
	b.done++
	if b.opts.Progress != nil {
		b.opts.Progress(b.done, b.opts.Rounds*len(b.subjects))
	}
}

// failed notes why a kind cannot be attached; anything else is an error.
func (s *subject) failed(err error) error {
	var why *refused
	switch {
	case errors.As(err, &why):
		s.figure.Unavailable = s.kind.mech.explain(s.target, why.err)
		return nil
	case err == nil && s.prog != nil && s.figure.Runs.Ran == 0:
		s.figure.Unavailable = "the kernel takes it, and the program never runs" + s.kind.suspect()
	}
	return err
}

// suspect is a likely reason for a program that does not run.
func (k kind) suspect() string {
	switch k.mech {
	case lsm:
		return `; is "bpf" in /sys/kernel/security/lsm (kernel parameter lsm=)?`
	case uprobe, uprobeMulti:
		return "; the kernel cannot execute this instruction elsewhere"
	}
	return ""
}

// conclude makes figures of the rounds.
func (b *bench) conclude() {
	contest := map[Work][]rival{}
	for _, s := range b.subjects {
		f := s.figure
		if f.Unavailable != "" {
			f.Runs = Runs{}
			continue
		}
		f.Rounds = len(s.cost)
		f.Untraced, _ = interval(s.untraced)
		f.Traced, _ = interval(s.traced)
		f.Cost, b.report.Confidence = interval(s.cost)
		contest[f.Work] = append(contest[f.Work], rival{f, s.cost})
	}
	if !b.report.Ranked() {
		return
	}
	for _, rivals := range contest {
		rank(rivals)
	}
}

// remove removes the directory with the programs that were measured.
func (b *bench) remove() error { return os.RemoveAll(b.dir) }

func (b *bench) close() {
	for _, s := range b.subjects {
		if s.prog != nil {
			s.prog.Close()
		}
	}
}
