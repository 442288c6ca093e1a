package live

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// Until says what ends a trace; the first that happens does. Without any of
// them it goes on until a signal.
type Until struct {
	Command  *Command      // it has ended; nil: none
	PID      int           // the process has ended; 0: none
	Duration time.Duration // has passed; 0: no limit
	// Terminal tells that the command shares the terminal with this process
	// and gets a Ctrl-C itself.
	Terminal bool

	settle time.Duration // 0: settle
}

// settle is how long further signals after the first are taken for the same
// request: timeout(1) sends one to the process and one to its group.
const settle = 300 * time.Millisecond

// Signals are those that end a trace; a second one kills the command.
func Signals() (signals <-chan os.Signal, stop func()) {
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Whoever reads the output may go away: that ends the trace with an error
	// of the write, not this process with a signal.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	return ch, func() { signal.Stop(ch); signal.Stop(pipe) }
}

// Wait waits for the end of the trace. A command that is still running then
// is asked to end, and killed at the second signal.
func Wait(ctx context.Context, u Until, signals <-chan os.Signal) {
	var timeout <-chan time.Time
	if u.Duration > 0 {
		timer := time.NewTimer(u.Duration)
		defer timer.Stop()
		timeout = timer.C
	}
	var command <-chan struct{}
	if u.Command != nil {
		command = u.Command.Done()
	}
	select {
	case <-ctx.Done():
		u.end(syscall.SIGTERM, false, signals)
	case <-command:
	case <-exited(u.PID):
	case <-timeout:
		u.end(syscall.SIGTERM, false, signals)
	case s := <-signals:
		u.end(s, u.Terminal && s == os.Interrupt, signals)
	}
}

// exited is closed when the process has ended; never for 0 or when that
// cannot be awaited (Ctrl-C ends the trace then).
func exited(pid int) <-chan struct{} {
	if pid == 0 {
		return nil
	}
	done := make(chan struct{})
	go func() {
		if unix.WaitExit(pid) == nil {
			close(done)
		}
	}()
	return done
}

// end passes the signal on to the command, unless it has it already, and
// waits until it has ended.
func (u Until) end(s os.Signal, has bool, signals <-chan os.Signal) {
	if u.Command == nil {
		return
	}
	if !has {
		_ = u.Command.Signal(s) // it may have ended just now
	}
	first := time.Now()
	for {
		select {
		case <-u.Command.Done():
			return
		case <-signals:
			if time.Since(first) >= cmp.Or(u.settle, settle) {
				_ = u.Command.Kill()
				<-u.Command.Done()
				return
			}
		}
	}
}
