package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
)

// Options of Open; the zero value counts in every process that maps the
// files, all probes or none.
type Options struct {
	PID int // only this process (thread group); 0: all
	// Children takes in what PID forks from now on. Where the kernel cannot do
	// that fewer or more processes are counted: Session.Scope.
	Children   bool
	Events     bool // deliver executions, see Session.Executions
	BestEffort bool // keep what could be attached; see Session.Failures
	Logger     *slog.Logger
}

// prober is the part of attach.Session that is used here.
type prober interface {
	Counts() ([][]uint64, error)
	Undecided() ([][]uint64, error)
	Lost() (uint64, error)
	Strayed() (uint64, error)
	Read(context.Context) (attach.Event, error)
	Failures() []attach.Failure
	Unverified() []int
	Detach() error
	Close() error
}

// Session is a set of functions whose executions are being counted.
type Session struct {
	results []sites.Result
	tally   *tally.Tally
	probes  prober
	scope   Scope
	failed  map[[2]int]error // by plan and probe
}

// Failure is a place of a function that was not attached under BestEffort.
type Failure struct {
	Result *sites.Result
	Site   *sites.Site // nil: only the plain probe is there
	Err    error
}

// ArchError says that a file's code cannot run on this machine.
type ArchError struct {
	Path string
	Arch elfbin.Arch
}

func (e *ArchError) Error() string {
	return fmt.Sprintf("%s is for %s; on this machine (%s) it cannot be traced", e.Path, e.Arch, runtime.GOARCH)
}

// foreign finds a file of another architecture. A breakpoint's bytes would be
// the wrong ones there.
func foreign(results []sites.Result) error {
	for i := range results {
		if t := results[i].Target; t.Arch.String() != runtime.GOARCH {
			return &ArchError{Path: t.Path, Arch: t.Arch}
		}
	}
	return nil
}

// Open attaches what counts the executions of all results, and beside it what
// counts the plain probe's. The errors are those of attach.Open.
func Open(results []sites.Result, opts Options) (*Session, error) {
	if err := foreign(results); err != nil {
		return nil, err
	}
	return open(results, opts, func(plans []attach.Plan, o attach.Options) (prober, error) {
		s, err := attach.Open(plans, o)
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}

type opener func([]attach.Plan, attach.Options) (prober, error)

func open(results []sites.Result, opts Options, attachTo opener) (*Session, error) {
	options := attach.Options{PID: opts.PID, Children: opts.Children, BestEffort: opts.BestEffort, Events: opts.Events, Logger: opts.Logger}
	var scope Scope
	attachTo = widening(attachTo, &scope)
	t := tally.New(results, tally.Options{})
	probes, err := attachTo(t.Plans(), options)
	if bad := (*attach.ProbeError)(nil); errors.As(err, &bad) && len(t.Refs(bad.Plan, bad.Probe)) == 0 {
		// Only the comparison needs this probe; do without it.
		t = tally.New(results, tally.Options{NoPlain: true})
		probes, err = attachTo(t.Plans(), options)
	}
	if err != nil {
		return nil, describe(err, t, results)
	}
	s := &Session{results: results, tally: t, probes: probes, scope: scope, failed: map[[2]int]error{}}
	for _, f := range probes.Failures() {
		s.failed[[2]int{f.Plan, f.Probe}] = f.Err
	}
	return s, nil
}

// describe names the function whose probe failed.
func describe(err error, t *tally.Tally, results []sites.Result) error {
	bad := (*attach.ProbeError)(nil)
	if !errors.As(err, &bad) {
		return err
	}
	refs := t.Refs(bad.Plan, bad.Probe)
	if len(refs) == 0 {
		return err
	}
	r := &results[refs[0].Result]
	return fmt.Errorf("%s: %w; --best-effort traces the other places", r.Function, err)
}

// Probes is the number of probes.
func (s *Session) Probes() int { return s.tally.Probes() }

// Failures are the places that were not attached.
func (s *Session) Failures() []Failure {
	var out []Failure
	for _, f := range s.probes.Failures() {
		refs := s.tally.Refs(f.Plan, f.Probe)
		if len(refs) == 0 {
			continue
		}
		for _, ref := range refs {
			r := &s.results[ref.Result]
			out = append(out, Failure{Result: r, Site: &r.Sites[ref.Site], Err: f.Err})
		}
	}
	return out
}

// Counts are what was counted until now, in the order of the results.
func (s *Session) Counts() ([]tally.Count, error) {
	hits, err := s.probes.Counts()
	if err != nil {
		return nil, err
	}
	undecided, err := s.probes.Undecided()
	if err != nil {
		return nil, err
	}
	read := func(plan, probe int) tally.Hits {
		return tally.Hits{Hits: hits[plan][probe], Undecided: undecided[plan][probe]}
	}
	failed := func(plan, probe int) bool { return s.failed[[2]int{plan, probe}] != nil }
	return s.tally.Count(read, failed), nil
}

// Scope is which processes are counted.
func (s *Session) Scope() Scope { return s.scope }

// Strayed is the number of child processes that are not counted because there
// were too many at a time.
func (s *Session) Strayed() (uint64, error) { return s.probes.Strayed() }

// Lost is the number of executions that were not delivered as such; the
// counts have them.
func (s *Session) Lost() (uint64, error) { return s.probes.Lost() }

// Execution is one execution of a function.
type Execution struct {
	Time   time.Time
	PID    uint32
	TID    uint32
	Comm   string
	Result *sites.Result
	Site   *sites.Site
	// Undecided means that it cannot be told whether it is an execution.
	Undecided bool
}

// Executions calls do for every execution until ctx ends or, after Detach,
// until all are delivered. Needs Options.Events.
func (s *Session) Executions(ctx context.Context, do func(Execution) error) error {
	now, err := unix.Monotonic()
	if err != nil {
		return err
	}
	boot := time.Now().Add(-now)
	for {
		e, err := s.probes.Read(ctx)
		if errors.Is(err, io.EOF) || err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, ref := range s.tally.Refs(e.Plan, e.Probe) {
			r := &s.results[ref.Result]
			x := Execution{
				Time: boot.Add(time.Duration(e.Time)), PID: e.PID, TID: e.TID, Comm: e.Comm,
				Result: r, Site: &r.Sites[ref.Site], Undecided: e.Undecided,
			}
			if err := do(x); err != nil {
				return err
			}
		}
	}
}

// Detach ends the tracing; counts and executions can still be read.
func (s *Session) Detach() error { return s.probes.Detach() }

// Close detaches and frees everything.
func (s *Session) Close() error { return s.probes.Close() }
