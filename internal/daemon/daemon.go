package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/memory"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise"
)

// Options of Run. Config is needed, the rest has useful zero values.
type Options struct {
	Config *Config
	// Reload reads the configuration anew, when Changed says so.
	Reload  func() (*Config, error)
	Changed <-chan struct{}
	// Find gives the absolute path of a hook's file. It need not be there yet.
	Find     func(target string) (string, error)
	Sites    sites.Options
	Notifier Notifier
	Logger   *slog.Logger
	Version  string
	// Listening is called with the address of the metrics, if there are any.
	Listening func(net.Addr)
}

// supervisor is what Run needs of supervise.Supervisor.
type supervisor interface {
	Add(hook.Hook) (supervise.ID, error)
	AddInContainers(hook.Hook) (supervise.ID, error)
	Remove(supervise.ID) error
	Run(context.Context) error
	State() (supervise.State, error)
	Close() error
}

// daemon is one run.
type daemon struct {
	opts    Options
	log     *slog.Logger
	sup     supervisor
	history *history

	mu       sync.Mutex // of what follows; the supervisor is not called with it held by State
	entries  []entry    // of the configuration in force
	config   *Config
	reloads  Reloads
	features []Feature
}

// Run keeps the hooks of the configuration attached until the context ends,
// or until it has become impossible. The Status is that of the end.
func Run(ctx context.Context, opts Options) (Status, error) {
	return run(ctx, opts, func(o supervise.Options) (supervisor, error) { return supervise.New(o) })
}

func run(ctx context.Context, opts Options, start func(supervise.Options) (supervisor, error)) (last Status, err error) {
	d := &daemon{opts: opts, log: opts.Logger, history: newHistory()}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if err := d.start(start); err != nil {
		return Status{}, err
	}
	defer func() { err = errors.Join(err, d.sup.Close()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := d.take(opts.Config); err != nil {
		return Status{}, err
	}
	memory.CollectUsually()
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel(nil)
	if opts.Config.Listen != "" {
		l, err := net.Listen("tcp", opts.Config.Listen)
		if err != nil {
			return Status{}, fmt.Errorf("metrics: %w", err)
		}
		if opts.Listening != nil {
			opts.Listening(l.Addr())
		}
		serving.Go(func() {
			if err := serve(ctx, l, handler(opts.Version, d.status, d.history.latency, d.log), d.log); err != nil {
				cancel(fmt.Errorf("metrics: %w", err))
			}
		})
	}
	serving.Go(func() {
		if err := d.sup.Run(ctx); err != nil {
			cancel(err)
		}
	})
	d.tell("READY=1", d.line())
	d.loop(ctx)
	d.tell("STOPPING=1")
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	last, failed := d.status()
	return last, errors.Join(err, failed)
}

// start makes the supervisor. What a privilege is missing for is left out and
// told; only attaching itself cannot be done without.
func (d *daemon) start(start func(supervise.Options) (supervisor, error)) error {
	c := d.opts.Config
	full := supervise.Options{NoGap: c.NoGap, Sites: d.opts.Sites, Notify: d.notify, Logger: d.log}
	if c.Pin != "" {
		full.Keep = &supervise.Keep{Pins: c.Pin, Records: cmp.Or(c.State, DefaultState)}
	}
	without := func(noGap, keep bool) supervise.Options {
		o := full
		o.NoGap = full.NoGap && !noGap
		if keep {
			o.Keep = nil
		}
		return o
	}
	var first error
	for _, o := range []supervise.Options{full, without(false, true), without(true, false), without(true, true)} {
		sup, err := start(o)
		if first == nil {
			first = err
		}
		if errors.Is(err, attach.ErrNotPermitted) || errors.Is(err, attach.ErrNotSupported) {
			return err
		}
		if err != nil {
			continue
		}
		d.sup = sup
		d.feature("no-gap", c.NoGap, o.NoGap, first)
		d.feature("pin", c.Pin != "", o.Keep != nil, first)
		return nil
	}
	return first
}

// feature writes down what became of something that was asked for.
func (d *daemon) feature(name string, asked, got bool, err error) {
	switch {
	case !asked:
	case got:
		d.features = append(d.features, Feature{Name: name, On: true})
	default:
		d.log.Error(name+" is not in force; the rest is", "err", err)
		d.features = append(d.features, Feature{Name: name, Why: err.Error()})
	}
}

// loop serves what comes until the context ends.
func (d *daemon) loop(ctx context.Context) {
	var tick <-chan time.Time
	if every := d.opts.Notifier.Every(); every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		tick = t.C
	}
	changed := d.opts.Changed
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-changed:
			if !ok {
				changed = nil
				continue
			}
			d.reload()
		case <-tick:
			// A daemon that cannot tell how it is is not alive.
			if _, err := d.status(); err != nil {
				d.log.Error("no word to the watchdog", "err", err)
				continue
			}
			d.tell("WATCHDOG=1", d.line())
		}
	}
}

// reload takes the configuration anew. A bad one changes nothing.
func (d *daemon) reload() {
	now, err := unix.Monotonic()
	if err != nil {
		now = 0
	}
	d.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Microseconds()))
	defer func() { d.tell("READY=1", d.line()) }()
	c, err := d.opts.Reload()
	if err == nil {
		err = d.sameService(c)
	}
	if err == nil {
		err = d.take(c)
	}
	if err == nil {
		return
	}
	d.log.Error("the configuration is not taken; the one before stays in force", "err", err)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reloads.Bad++
	d.reloads.Failed = err.Error()
}

// sameService refuses what cannot be changed while probes are attached.
func (d *daemon) sameService(c *Config) error {
	was := d.opts.Config
	for _, x := range []struct {
		name    string
		changed bool
	}{{"no-gap", c.NoGap != was.NoGap}, {"listen", c.Listen != was.Listen}, {"pin", c.Pin != was.Pin}, {"state", c.State != was.State}} {
		if x.changed {
			return &ConfigError{Path: c.Path, Reason: x.name + " has changed, which takes a restart"}
		}
	}
	return nil
}

func (d *daemon) tell(states ...string) {
	if err := d.opts.Notifier.Tell(states...); err != nil {
		d.log.Warn("service manager", "err", err)
	}
}

// line is how systemctl shows the daemon.
func (d *daemon) line() string {
	s, err := d.status()
	if err != nil {
		return "STATUS=" + err.Error()
	}
	waiting := 0
	for _, h := range s.Hooks {
		if h.Waiting != "" {
			waiting++
		}
	}
	text := fmt.Sprintf("STATUS=%d hooks attached", len(s.Hooks)-waiting)
	if waiting > 0 {
		text += fmt.Sprintf(", %d waiting", waiting)
	}
	return text
}

// notify counts an event and writes it down.
func (d *daemon) notify(e supervise.Event) {
	d.history.add(e)
	level := slog.LevelInfo
	switch x := e.(type) {
	case supervise.Finding, supervise.Gap:
		level = slog.LevelWarn
	case supervise.Verdict:
		if x.Worse() {
			level = slog.LevelWarn
		}
	}
	d.log.Log(context.Background(), level, e.String(), attributes(e)...)
}

// find gives a hook with the absolute path of its file.
func (d *daemon) find(h hook.Hook) (hook.Hook, error) {
	path, err := d.opts.Find(h.Target)
	if err != nil {
		return h, fmt.Errorf("%s: %w", h, err)
	}
	h.Target = path
	return h, nil
}
