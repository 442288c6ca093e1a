//go:build linux && (amd64 || arm64)

package soak

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/unix"
)

// Bpftrace counts with bpftrace, which attaches once.
type Bpftrace struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	done bool
}

// NewBpftrace counts the functions that have a symbol; the inlined one cannot be.
func NewBpftrace(path string) (*Bpftrace, error) {
	var script strings.Builder
	for _, i := range Hooked()[:3] {
		f := Functions()[i]
		fmt.Fprintf(&script, "uprobe:%s:%s { @%s = count(); } ", path, f, f)
	}
	b := &Bpftrace{cmd: exec.Command("bpftrace", "-e", script.String())}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	in := bufio.NewReader(out)
	for { // "Attaching 3 probes..." comes before they are; BEGIN is none of ours
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("bpftrace: %w", err)
		}
		if strings.HasPrefix(line, "Attaching") {
			break
		}
	}
	go in.WriteTo(&b.out)
	return b, attachedIn(b.cmd.Process.Pid, 3)
}

// attachedIn waits until a process holds so many perf events.
func attachedIn(pid, n int) error {
	for range 1000 {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			return err
		}
		events := 0
		for _, f := range files {
			if to, err := os.Readlink(f); err == nil && strings.Contains(to, "perf_event") {
				events++
			}
		}
		if events >= n {
			return nil
		}
		syscall.Nanosleep(&syscall.Timespec{Nsec: 10_000_000}, nil)
	}
	return errors.New("bpftrace has not attached")
}

var countLine = regexp.MustCompile(`(?m)^@(\w+): (\d+)$`)

// Calls ends it and reads what it prints.
func (b *Bpftrace) Calls() (Calls, error) {
	var c Calls
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		return c, err
	}
	err := b.cmd.Wait()
	b.done = true
	for _, m := range countLine.FindAllStringSubmatch(b.out.String(), -1) {
		for i, f := range Functions() {
			if f == m[1] {
				c[i], _ = strconv.ParseUint(m[2], 10, 64)
			}
		}
	}
	return c, err
}

// Close ends it.
func (b *Bpftrace) Close() error {
	if b.done {
		return nil
	}
	return errors.Join(b.cmd.Process.Kill(), b.cmd.Wait())
}

// Naive does what agents do that attach again: it waits for a change in the
// library's directory, takes the old probes off, looks the symbols up, and
// attaches to the path.
type Naive struct {
	path string
	in   *unix.Inotify
	done sync.WaitGroup

	mu       sync.Mutex
	sessions []*attach.Session
}

// NewNaive counts the functions that have a symbol.
func NewNaive(path string) (*Naive, error) {
	in, err := unix.OpenInotify()
	if err != nil {
		return nil, err
	}
	n := &Naive{path: path, in: in}
	dir, err := unix.LookupPath(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if _, err := in.Add(dir, true); err != nil {
		return nil, err
	}
	if err := n.attach(); err != nil {
		return nil, err
	}
	n.done.Go(n.watch)
	return n, nil
}

func (n *Naive) watch() {
	buf := make([]byte, 64<<10)
	for {
		list, err := n.in.Read(buf)
		if err != nil {
			return
		}
		for _, c := range list {
			if c.Name == filepath.Base(n.path) && (c.Written || c.Arrived) {
				n.attach() // what fails is not there any more: the next event comes
				break
			}
		}
	}
}

func (n *Naive) attach() error {
	file, err := elfbin.Open(n.path)
	if err != nil {
		return err
	}
	defer file.Close()
	plan := attach.Plan{Path: n.path}
	for _, i := range Hooked()[:3] {
		for _, s := range file.Lookup(Functions()[i]) {
			if off, ok := file.FileOffset(s.Value); ok {
				plan.Probes = append(plan.Probes, attach.Probe{Offset: off})
				break
			}
		}
	}
	if len(plan.Probes) != 3 {
		return errors.New("symbols are missing")
	}
	if last := len(n.sessions) - 1; last >= 0 {
		if err := n.sessions[last].Detach(); err != nil {
			return err
		}
	}
	s, err := attach.Open([]attach.Plan{plan}, attach.Options{})
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sessions = append(n.sessions, s)
	return nil
}

// Calls adds up all that was attached.
func (n *Naive) Calls() (Calls, error) {
	var c Calls
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sessions {
		counts, err := s.Counts()
		if err != nil {
			return c, err
		}
		for k, i := range Hooked()[:3] {
			c[i] += counts[0][k]
		}
	}
	return c, nil
}

// Close detaches everything.
func (n *Naive) Close() error {
	err := n.in.Wake()
	n.done.Wait()
	err = errors.Join(err, n.in.Close())
	for _, s := range n.sessions {
		err = errors.Join(err, s.Close())
	}
	return err
}

// HasBpftrace tells whether there is one.
func HasBpftrace(ctx context.Context) bool {
	return exec.CommandContext(ctx, "bpftrace", "--version").Run() == nil
}
