package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/report"
)

// run attaches, runs the command if there is one, waits for the end, reports.
func (f *traceFlags) run(ctx context.Context, s streams, args []string) (err error) {
	format, err := f.parseFormat()
	if err != nil {
		return err
	}
	var words []string
	if f.command != "" {
		if words, err = live.Split(f.command); err != nil {
			return err
		}
	}
	results, missing, err := f.plan(s.err, args)
	if err != nil {
		return err
	}
	signals, stop := live.Signals()
	defer stop()
	var command *live.Command
	opts := live.Options{PID: f.pid, Events: !f.countsOnly(), BestEffort: f.bestEffort}
	if words != nil {
		if command, err = live.Start(words, live.Streams{In: s.in, Out: s.out, Err: s.err}); err != nil {
			return err
		}
		defer command.Cancel()
		opts.PID, opts.Children = command.PID(), true
	}
	session, err := live.Open(results, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	failures := session.Failures()
	f.attached(s.err, session, failures)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	printed := f.print(ctx, cancel, s.results, format, session)
	until := live.Until{Command: command, PID: f.pid, Duration: f.duration, Terminal: terminal(s.in)}
	if command != nil {
		if err := command.Release(); err != nil {
			return errors.Join(err, session.Detach(), printed())
		}
	}
	live.Wait(ctx, until, signals)
	err = errors.Join(session.Detach(), printed())
	if errors.Is(err, syscall.EPIPE) {
		return nil // the reader has had enough, as head does
	}
	if err != nil {
		return err
	}
	if command != nil && command.Status() != "" {
		fmt.Fprintf(s.err, "%s %s\n", words[0], command.Status())
	}
	if err := f.summary(s, format, session); err != nil {
		return err
	}
	if len(failures)+missing > 0 {
		return &exitError{code: exitFindings}
	}
	return nil
}

// attached says what is attached, to which processes, and until when.
func (f *traceFlags) attached(w io.Writer, session *live.Session, failures []live.Failure) {
	for _, x := range failures {
		fmt.Fprintf(w, "not attached: %s at %#x: %v\n", x.Result.Function, x.Site.Address, x.Err)
	}
	if f.command != "" {
		switch session.Scope() {
		case live.Family:
		case live.Process:
			fmt.Fprintln(w, "this kernel cannot follow child processes (it has no BTF): only the command's own process is counted")
		case live.Everyone:
			fmt.Fprintln(w, "this kernel cannot confine probes to a process: every process that runs the file is counted")
		}
	}
	fmt.Fprintf(w, "attached %s; %s\n", plural(session.Probes()-len(failures), "probe"), f.endsWhen())
}

func (f *traceFlags) endsWhen() string {
	switch {
	case f.command != "":
		return "running the command"
	case f.pid != 0:
		return fmt.Sprintf("until process %d ends or Ctrl-C", f.pid)
	case f.duration > 0:
		return "for " + f.duration.String()
	}
	return "Ctrl-C ends"
}

// print prints executions as they come. The function it returns waits until
// all of them are printed, after the session is detached. failed is called
// when they cannot be written.
func (f *traceFlags) print(ctx context.Context, failed func(), out io.Writer, format report.Format, session *live.Session) (printed func() error) {
	if f.countsOnly() {
		return func() error { return nil }
	}
	w := newFlusher(out)
	done := make(chan error, 1)
	go func() {
		err := report.EventHeader(w, format)
		if err == nil {
			err = session.Executions(ctx, func(x live.Execution) error { return report.WriteEvent(w, format, report.Event(x)) })
		}
		if err != nil {
			failed()
		}
		done <- err
	}()
	return func() error { return errors.Join(<-done, w.Close()) }
}

// terminal tells whether a Ctrl-C there reaches the command by itself.
func terminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && isTerminal(file)
}

// flushEvery is how long a line may stay in the buffer: too short to notice,
// long enough to spare a system call a line.
const flushEvery = 100 * time.Millisecond

// flusher is a buffered writer that does not keep lines for long.
type flusher struct {
	mu   sync.Mutex
	w    *bufio.Writer
	stop chan struct{}
}

func newFlusher(w io.Writer) *flusher {
	f := &flusher{w: bufio.NewWriterSize(w, 1<<16), stop: make(chan struct{})}
	go f.flush()
	return f
}

func (f *flusher) flush() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.mu.Lock()
			f.w.Flush() // the error stays in w and comes with the next Write or Close
			f.mu.Unlock()
		case <-f.stop:
			return
		}
	}
}

// Write implements io.Writer.
func (f *flusher) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.w.Write(b)
}

// Close writes what is left.
func (f *flusher) Close() error {
	close(f.stop)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.w.Flush()
}
