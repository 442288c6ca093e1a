package benchtruth

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/surehook/surehook/bench"
)

//go:embed src/loop.c
var loop []byte

// Independent measures with a program, a clock and a tracer that are not
// surehook's: src/loop.c, traced by bpftrace with an empty program.
type Independent struct {
	dir, program string
	cpu          int
	best         map[string]float64 // quickest untraced call yet, ns, by call
}

// NewIndependent builds the program; it needs gcc and bpftrace.
func NewIndependent(ctx context.Context, cpu int) (*Independent, error) {
	if _, err := exec.LookPath("bpftrace"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "surehook-benchtruth-")
	if err != nil {
		return nil, err
	}
	i := &Independent{dir: dir, program: filepath.Join(dir, "loop"), cpu: cpu, best: map[string]float64{}}
	source := filepath.Join(dir, "loop.c")
	if err := os.WriteFile(source, loop, 0o644); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	cmd := exec.CommandContext(ctx, "gcc", "-O1", "-Wall", "-Werror", "-fcf-protection=none", "-o", i.program, source)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("gcc: %w: %s", err, out), i.Close())
	}
	return i, nil
}

// Close removes the program.
func (i *Independent) Close() error { return os.RemoveAll(i.dir) }

// Subject is what is measured a second time.
type Subject struct {
	Kind  string // of package bench
	call  string // of src/loop.c
	probe string // of bpftrace, with %s for the program
}

// Subjects are those that both can measure on any kernel.
func Subjects() []Subject {
	return []Subject{
		{"uprobe (nop)", "nop", "uprobe:%s:f_nop"},
		{"uprobe (push)", "push", "uprobe:%s:f_push"},
		{"uprobe (endbr64)", "endbr64", "uprobe:%s:f_endbr64"},
		{"uprobe (ret)", "ret", "uprobe:%s:f_ret"},
		{"uretprobe", "nop", "uretprobe:%s:f_nop"},
		{"tracepoint", "getpgid", "tracepoint:syscalls:sys_enter_getpgid"},
	}
}

// user tells that a breakpoint shows whether it is attached.
func (s Subject) user() bool { return s.call != "getpgid" }

// calls is how many make a batch of about half a millisecond.
func (s Subject) calls(traced bool) string {
	switch {
	case !s.user():
		return "3000"
	case !traced:
		return "200000"
	case s.call == "nop", s.call == "push":
		return "1000"
	}
	return "100"
}

// tries bounds how often is measured until the processor is not slow.
const tries = 20

// Cost is how much longer a call takes with a probe.
type Cost struct {
	NS float64
	// Slow: the processor was slow in all tries, and this is the last one.
	Slow bool
}

// Cost measures a subject once with a probe between twice without, until the
// processor was not slow meanwhile.
func (i *Independent) Cost(ctx context.Context, s Subject) (Cost, error) {
	return i.quickly(s.call, func() (cost, before, after float64, err error) {
		if cost, before, err = i.once(ctx, s); err == nil {
			_, after, err = i.run(ctx, s, false)
		}
		return cost, before, after, err
	})
}

// quickly repeats what measures the cost of a probe on a call and, before and
// after that, the call alone.
func (i *Independent) quickly(call string, measure func() (cost, before, after float64, err error)) (Cost, error) {
	var last Cost
	for range tries {
		cost, before, after, err := measure()
		if err != nil {
			return Cost{}, err
		}
		best, ok := i.best[call]
		if least := min(before, after); !ok || least < best {
			best = least
			i.best[call] = best
		}
		last = Cost{NS: cost, Slow: max(before, after) > best*bench.Slower}
		if !last.Slow {
			break
		}
	}
	return last, nil
}

func (i *Independent) once(ctx context.Context, s Subject) (cost, alone float64, err error) {
	there, alone, err := i.run(ctx, s, false)
	if err != nil || there {
		return 0, 0, errors.Join(err, fmt.Errorf("%s: there is a breakpoint before there should be one: %t", s.Kind, there))
	}
	stop, err := i.trace(ctx, s, alone)
	if err != nil {
		return 0, 0, err
	}
	_, with, err := i.run(ctx, s, true)
	return with - alone, alone, errors.Join(err, stop())
}

func (i *Independent) run(ctx context.Context, s Subject, traced bool) (there bool, ns float64, err error) {
	out, err := exec.CommandContext(ctx, "taskset", "-c", strconv.Itoa(i.cpu), i.program, s.call, s.calls(traced)).Output()
	if err != nil {
		return false, 0, fmt.Errorf("loop %s: %w", s.call, err)
	}
	var at int
	if n, err := fmt.Sscanf(string(out), "%d %f", &at, &ns); n != 2 {
		return false, 0, fmt.Errorf("loop %s prints %q: %w", s.call, out, err)
	}
	return at == 1, ns, nil
}

// attaching bounds how long bpftrace may take.
const attaching = 60 * time.Second

// trace starts bpftrace and waits until its probe is there.
func (i *Independent) trace(ctx context.Context, s Subject, alone float64) (stop func() error, err error) {
	probe := s.probe
	if s.user() {
		probe = fmt.Sprintf(probe, i.program)
	}
	cmd := exec.CommandContext(ctx, "bpftrace", "-e", probe+" { }")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer // it complains of limits that do not matter
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() error {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		_, _ = io.Copy(io.Discard, out)        // until it ends
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("bpftrace: %w", err)
		}
		return ctx.Err()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "Attaching") {
		return nil, errors.Join(fmt.Errorf("bpftrace says %q", line), err, stop(), errors.New(said.String()))
	}
	for end := time.Now().Add(attaching); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		there, ns, err := i.run(ctx, s, true)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		if there || !s.user() && ns > alone*1.2 { // an event shows by its cost only
			return stop, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s: bpftrace did not attach in %s", s.Kind, attaching), stop())
}
