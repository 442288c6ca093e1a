//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/surehook/surehook/internal/bpf"
)

// Session is a set of attached plans. Its methods may be called from several
// goroutines.
type Session struct {
	opts   Options
	layout *layout
	shape  []int // number of probes, by plan
	mech   mechanism
	// linkPID: the links are confined to Options.PID. Otherwise the program
	// looks.
	linkPID bool
	log     *slog.Logger

	failures   []Failure
	unverified []int

	mu       sync.RWMutex // guards objs against Close
	objs     *bpf.Objects
	base     *Base  // whose objs are; nil: they are this session's own
	room     uint32 // number of its first entry there
	roomPin  string // file that says so to a later process; empty: none
	detach   sync.Once
	detached atomic.Bool
	links    closers

	readMu sync.Mutex
	reader *ringbuf.Reader
	record ringbuf.Record
}

// Open attaches the plans: every probe of them or, with Options.BestEffort,
// what is possible. That the breakpoints are really installed is checked by
// mapping the files as a process would. It fails with a ProbeError for a probe
// that cannot be attached, with ErrNotPermitted and ErrNotSupported when none
// can, with ErrInvalid for a plan that makes no sense.
//
// Requires at least Linux 5.5 (the oldest tested is 5.10: docs/vmtest.md); events 5.8. From 6.6 on (uprobe_multi) thousands
// of probes attach and detach in milliseconds; perf events attach as fast, but
// each takes up to 0.2 s to close.
func Open(plans []Plan, opts Options) (*Session, error) {
	l, err := arrange(plans, bpf.MaxGroup)
	if err != nil {
		return nil, err
	}
	can, err := detect()
	if err != nil {
		return nil, err
	}
	return open(plans, l, opts, can)
}

func open(plans []Plan, l *layout, opts Options, can abilities) (*Session, error) {
	s := &Session{opts: opts, layout: l, log: opts.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, p := range plans {
		s.shape = append(s.shape, len(p.Probes))
	}
	if err := s.load(can, plans[0].Path == ""); err != nil {
		return nil, err
	}
	if opts.PID != 0 && opts.Children {
		if err := s.follow(); err != nil {
			return nil, errors.Join(classify(err), s.Close())
		}
	}
	for i, p := range plans {
		if err := s.attachPlan(i, p.Path); err != nil {
			return nil, errors.Join(classify(err), s.Close())
		}
	}
	s.log.Debug("attached", "mechanism", s.mech.name(), "probes", len(l.slots), "links", len(s.links), "failures", len(s.failures))
	return s, nil
}

// attachPlan attaches the plan's breakpoints and proves them.
func (s *Session) attachPlan(plan int, path string) error {
	if len(s.layout.breaks[plan]) == 0 {
		return nil
	}
	if path == "" {
		return s.attachKernel(plan)
	}
	t, err := openTarget(plan, path, s.layout)
	if err != nil {
		return err
	}
	defer t.file.Close()
	return s.attachTarget(t)
}

// attachTarget attaches the breakpoints of an open file and proves them.
func (s *Session) attachTarget(t *target) error {
	a := attempt{s: s, t: t, left: t.breaks}
	if err := a.drop(t.precheck(s.opts.AllowHazards)); err != nil {
		return err
	}
	return a.run()
}

// attachKernel attaches a plan of the kernel, which checks each place itself.
func (s *Session) attachKernel(plan int) error {
	t := &target{plan: plan, breaks: s.layout.breaks[plan], slots: s.layout.slots}
	links, faults, err := s.mech.attach(t, t.breaks, 0, s.opts.BestEffort)
	if err != nil {
		return err
	}
	s.links = append(s.links, links...)
	a := attempt{s: s, t: t, left: t.breaks}
	return a.drop(faults)
}

// Mechanism is how the probes are attached: "uprobe_multi", "perf-event
// uprobes" or, of the kernel, the ways taken: "2 fentry, 3 kprobe".
func (s *Session) Mechanism() string { return s.mech.name() }

// Failures are the probes that could not be attached; empty without
// Options.BestEffort.
func (s *Session) Failures() []Failure { return s.failures }

// Unverified are the plans (indices) whose breakpoints could not be proven to
// be installed, because the file cannot be mapped executable here (a file
// system mounted noexec).
func (s *Session) Unverified() []int { return s.unverified }

// Detach ends the tracing: the counts and events until now can still be read.
// When it returns no probe is running any more.
func (s *Session) Detach() error {
	var err error
	s.detach.Do(func() {
		err = s.links.Close()
		s.detached.Store(true)
		if s.reader != nil {
			err = errors.Join(err, s.reader.Flush())
		}
	})
	return err
}

// Close detaches and frees everything.
func (s *Session) Close() error {
	err := s.Detach()
	if s.reader != nil {
		err = errors.Join(err, s.reader.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objs != nil {
		if s.base != nil {
			s.base.leave(s)
		} else {
			err = errors.Join(err, s.objs.Close())
		}
		s.objs = nil
	}
	return err
}

var _ io.Closer = (*Session)(nil)
