//go:build linux

package caller

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// MaxBatches is how many batches one request can have; MAX_BATCHES in caller.c.
const MaxBatches = 64

// Extra are the system calls that a request of n batches makes beside the
// calls: two looks at the clock a batch, and the signal that stops the process.
func Extra(n int) uint64 { return 2*uint64(n) + 1 }

// pageSize is what the process maps of the file it shares.
const pageSize = 4096

// The words of struct page in caller.c.
const (
	wordCall = iota
	wordTimes
	wordBatches
	wordDone
	wordNs
)

// Process is a running caller. It is stopped unless Run waits for it.
type Process struct {
	// Path is the program's file, which no other process runs.
	Path string
	proc *os.Process
	page []byte
	gone bool
}

// Start writes the program into dir, under a name that is not there yet, and
// runs it on one CPU. The thread that calls Start must live as long as the
// process: with it the process ends.
func Start(dir string, cpu int) (p *Process, err error) {
	p = &Process{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("starting the process that is measured: %w", err), p.Close())
			p = nil
		}
	}()
	if p.Path, err = write(dir); err != nil {
		return p, err
	}
	shared, err := os.CreateTemp(dir, "request-")
	if err != nil {
		return p, err
	}
	defer shared.Close()
	os.Remove(shared.Name())
	if err := shared.Truncate(pageSize); err != nil {
		return p, err
	}
	if p.page, err = syscall.Mmap(int(shared.Fd()), 0, pageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); err != nil {
		return p, os.NewSyscallError("mmap", err)
	}
	attr := &os.ProcAttr{
		Files: []*os.File{nil, nil, nil, shared}, Env: []string{},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	if p.proc, err = launch(p.Path, attr); err != nil {
		return p, err
	}
	if err := unix.Pin(p.proc.Pid, cpu); err != nil {
		return p, err
	}
	return p, p.stopped()
}

// write makes the program's file.
func write(dir string) (string, error) {
	b, err := Program(runtime.GOARCH)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "caller-")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o755), f.Close())
	return f.Name(), err
}

// launch starts the program. A thread that forks at the same time may hold the
// file open for writing for a moment, which execve does not take.
func launch(path string, attr *os.ProcAttr) (*os.Process, error) {
	const attempts = 50
	for i := 0; ; i++ {
		proc, err := os.StartProcess(path, []string{filepath.Base(path)}, attr)
		if errors.Is(err, syscall.EACCES) {
			err = fmt.Errorf("%w; if programs cannot run from %s (noexec), choose another directory", err, filepath.Dir(path))
		}
		if i == attempts || !errors.Is(err, syscall.ETXTBSY) {
			return proc, err
		}
		time.Sleep(time.Millisecond)
	}
}

// stopped waits until the process has stopped itself.
func (p *Process) stopped() error {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(p.proc.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return os.NewSyscallError("wait4", err)
		case status.Stopped():
			return nil
		default:
			p.gone = true
			return fmt.Errorf("the process that is measured ended (status %#x)", int(status))
		}
	}
}

// PID is the process's number, which is also that of its thread.
func (p *Process) PID() int { return p.proc.Pid }

func (p *Process) word(i int) uint64 { return binary.NativeEndian.Uint64(p.page[8*i:]) }

func (p *Process) set(i int, v uint64) { binary.NativeEndian.PutUint64(p.page[8*i:], v) }

// Run lets the process make batches of calls, at most MaxBatches, and gives
// the time of each.
func (p *Process) Run(c Call, times uint64, batches int) ([]time.Duration, error) {
	done := p.word(wordDone)
	p.set(wordCall, uint64(c))
	p.set(wordTimes, times)
	p.set(wordBatches, uint64(batches))
	if err := p.proc.Signal(syscall.SIGCONT); err != nil {
		return nil, err
	}
	if err := p.stopped(); err != nil {
		return nil, err
	}
	if p.word(wordDone) != done+1 {
		return nil, errors.New("something else stopped the process that is measured")
	}
	took := make([]time.Duration, batches)
	for i := range took {
		took[i] = time.Duration(p.word(wordNs + i))
	}
	return took, nil
}

// Kill ends the process from another goroutine; a Run under way then fails.
func (p *Process) Kill() { _ = p.proc.Kill() } // it may have ended

// Interrupted is how often another process took the CPU from it.
func (p *Process) Interrupted() uint64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.proc.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if n, ok := strings.CutPrefix(line, "nonvoluntary_ctxt_switches:"); ok {
			count, _ := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
			return count
		}
	}
	return 0
}

// Close ends the process and removes its file.
func (p *Process) Close() error {
	var errs []error
	if p.proc != nil {
		if !p.gone {
			errs = append(errs, p.proc.Kill())
			if _, err := syscall.Wait4(p.proc.Pid, nil, 0, nil); err != nil {
				errs = append(errs, os.NewSyscallError("wait4", err))
			}
		}
		p.proc.Release()
	}
	if p.page != nil {
		errs = append(errs, syscall.Munmap(p.page))
	}
	if p.Path != "" {
		errs = append(errs, os.Remove(p.Path))
	}
	return errors.Join(errs...)
}
