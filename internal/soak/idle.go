//go:build linux && (amd64 || arm64)

package soak

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/supervise"
)

// Rest is what supervision costs while nothing happens.
type Rest struct {
	Libraries, Hooks int
	Containers       int
	CPU              float64 // of one processor
	Resident         uint64  // bytes
	Took             time.Duration
}

// Idle supervises n libraries, in n/10 directories, with two hooks each of which one is
// inlined, and does nothing for a while; with containers also in so many of one
// image, which has half of the libraries. Nothing else should run in the process.
func Idle(dir string, n, containers int, opts supervise.Options, during time.Duration) (*Rest, error) {
	kit, err := NewKit(dir)
	if err != nil {
		return nil, err
	}
	s, err := supervise.New(opts)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r := &Rest{Libraries: n, Containers: containers}
	add := s.Add
	if containers > 0 {
		add = s.AddInContainers
	}
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
			if _, err := add(h); err != nil {
				return nil, err
			}
			r.Hooks++
		}
	}
	libs, image := filepath.Join(dir, "libs"), filepath.Join(dir, "image")
	if err := os.CopyFS(image, os.DirFS(libs)); err != nil {
		return nil, err
	}
	for range containers {
		end, err := contain(libs, image)
		if err != nil {
			return nil, err
		}
		defer end()
	}
	time.Sleep(containersFound)
	if st, err := s.State(); err != nil || containers > 0 && st.Hooks[0].Containers != containers {
		return nil, fmt.Errorf("%d containers found, of %d: %v", st.Hooks[0].Containers, containers, err)
	}
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

// containersFound is longer than it takes until containers are found, and are no
// longer new.
const containersFound = 15 * time.Second

// contain begins a process with mounts of its own, which has half of the directories
// in dir from an image. end ends it.
func contain(dir, image string) (end func(), err error) {
	cmd := exec.Command("sh", "-c", `mount --make-rprivate / && cd "$2" || exit
for d in *[02468]; do mount --bind "$d" "$1/$d" || exit; done
echo ready && exec sleep 1000`, "sh", dir, image)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end = func() { cmd.Process.Kill(); cmd.Wait() }
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		end()
		return nil, fmt.Errorf("a container says %q: %v", line, err)
	}
	return end, nil
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
