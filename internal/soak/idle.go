//go:build linux && (amd64 || arm64)

package soak

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/supervise"
)

// Rest is what supervision costs while nothing happens.
type Rest struct {
	Libraries, Hooks int
	CPU              float64 // of one processor
	Resident         uint64  // bytes
	Took             time.Duration
}

// Idle supervises n libraries, in n/10 directories, with two hooks each of which one is
// inlined, and does nothing for a while. Nothing else should run in the process.
func Idle(dir string, n int, opts supervise.Options, during time.Duration) (*Rest, error) {
	kit, err := NewKit(dir)
	if err != nil {
		return nil, err
	}
	s, err := supervise.New(opts)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r := &Rest{Libraries: n}
	for i := range n {
		from, err := kit.Library(i%Layouts, 1)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		sub := filepath.Join(dir, "libs", fmt.Sprint(i/10))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return nil, err
		}
		path := filepath.Join(sub, fmt.Sprintf("lib%d.so", i))
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return nil, err
		}
		for _, f := range []string{"two", "small"} {
			h, err := hook.Parse("uprobe:" + path + ":" + f)
			if err != nil {
				return nil, err
			}
			if _, err := s.Add(h); err != nil {
				return nil, err
			}
			r.Hooks++
		}
	}
	time.Sleep(3 * time.Second)
	before, err := cpuTime()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	time.Sleep(during)
	after, err := cpuTime()
	if err != nil {
		return nil, err
	}
	r.Took = time.Since(begin)
	r.CPU = float64(after-before) / float64(r.Took)
	r.Resident, err = resident()
	return r, err
}

func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

func resident() (uint64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		var kb uint64
		if n, _ := fmt.Sscanf(string(line), "VmRSS: %d kB", &kb); n == 1 {
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc/self/status has no VmRSS")
}
