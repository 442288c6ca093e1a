//go:build linux && (amd64 || arm64)

package attach

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/bpf"
)

// makeDirs makes and removes a directory n times.
func makeDirs(n int) error {
	dir, err := os.MkdirTemp("", "surehook-mkdir")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	const here = -100 // AT_FDCWD
	path := filepath.Join(dir, "d")
	for range n {
		if err := errors.Join(syscall.Mkdirat(here, path, 0o700), os.Remove(path)); err != nil {
			return err
		}
	}
	return nil
}

// dirs is how many directories the traced child makes; one more is its own.
const dirs = 200

// kernelProbe attaches one probe to a child that makes directories and gives
// what it counted.
func kernelProbe(t *testing.T, p Probe) (n uint64, mechanism string, err error) {
	t.Helper()
	c := start(t, fmt.Sprintf("mkdir:%d", dirs))
	s, err := Open([]Plan{{Probes: []Probe{p}}}, Options{PID: c.PID()})
	if err == nil {
		mechanism = s.Mechanism()
	}
	c.finish(t)
	if err != nil {
		return 0, "", err
	}
	n = counts(t, s)[0][0]
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return n, mechanism, nil
}

// Every way counts every execution.
func TestKernelWays(t *testing.T) {
	needsKernel(t)
	address := addressOf(t, "vfs_mkdir")
	for _, c := range []struct {
		name string
		Probe
		want uint64 // at least, for what others do besides; 0: just the directories
	}{
		{"fentry", Probe{Symbol: "vfs_mkdir", Ways: Ways{ByFentry}}, 0},
		{"fexit", Probe{Symbol: "vfs_mkdir", Return: true, Ways: Ways{ByFentry}}, 0},
		{"kprobe", Probe{Symbol: "vfs_mkdir"}, 0},
		{"kprobe by address", Probe{Symbol: "vfs_mkdir", Address: address}, 0},
		{"kretprobe", Probe{Symbol: "vfs_mkdir", Return: true, Ways: Ways{ByKprobe}}, 0},
		{"kprobe.multi", Probe{Symbol: "vfs_mkdir", Ways: Ways{ByKprobeMulti}}, 0},
		{"kprobe.multi by address", Probe{Symbol: "vfs_mkdir", Address: address, Ways: Ways{ByKprobeMulti}}, 0},
		{"kretprobe.multi", Probe{Symbol: "vfs_mkdir", Return: true, Ways: Ways{ByKprobeMulti}}, 0},
		{"one after the other", Probe{Symbol: "vfs_mkdir", Ways: Ways{ByKprobeMulti, ByFentry, ByKprobe}}, 0},
		{"tracepoint", Probe{Symbol: "syscalls:sys_enter_mkdirat", Ways: Ways{ByTracepoint}}, 0},
		{"raw tracepoint", Probe{Symbol: "sys_enter", Ways: Ways{ByRawTracepoint}}, 2 * dirs},
		{"lsm", Probe{Symbol: "inode_mkdir", Ways: Ways{ByLSM}}, 0},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			if c.Ways.has(ByLSM) {
				if data, err := os.ReadFile("/sys/kernel/security/lsm"); err != nil || !slices.Contains(strings.Split(strings.TrimSpace(string(data)), ","), "bpf") {
					t.Skipf("bpf is not among the security modules: %q %v", data, err)
				}
			}
			if strings.Contains(c.name, "address") && address == 0 {
				t.Skip("addresses are hidden")
			}
			n, mechanism, err := kernelProbe(t, c.Probe)
			if lacks(err) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			// The child's own directory is one more.
			if c.want == 0 && n != dirs && n != dirs+1 || n < c.want {
				t.Errorf("%d hits by %s, want %d", n, mechanism, max(c.want, dirs))
			}
			t.Logf("%d hits by %s", n, mechanism)
		})
	}
}

// lacks tells that this kernel is built without the way, or locked.
func lacks(err error) bool {
	bad := (*ProbeError)(nil)
	return errors.Is(err, ErrNotSupported) || errors.Is(err, ErrNotPermitted) || errors.As(err, &bad) && strings.Contains(bad.Reason, "CONFIG_")
}

// addressOf reads the address of a function, 0 if it is hidden.
func addressOf(t *testing.T, name string) uint64 {
	t.Helper()
	data, err := os.ReadFile("/proc/kallsyms")
	if err != nil {
		t.Skip(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) == 3 && words[2] == name {
			var a uint64
			if _, err := fmt.Sscanf(words[0], "%x", &a); err != nil {
				t.Fatal(err)
			}
			return a
		}
	}
	return 0
}

// What the kernel refuses is said in words, and which way was tried.
func TestKernelRefuses(t *testing.T) {
	needsKernel(t)
	for _, c := range []struct {
		name string
		Probe
		want string
	}{
		{"no function", Probe{Symbol: "surehook_nowhere", Ways: Ways{ByFentry}}, "BTF has no function of this name"},
		{"no event", Probe{Symbol: "sched:surehook_nothing", Ways: Ways{ByTracepoint}}, "no such event"},
		{"no raw event", Probe{Symbol: "surehook_nothing", Ways: Ways{ByRawTracepoint}}, "no raw tracepoint of this name"},
		{"no hook", Probe{Symbol: "surehook_nothing", Ways: Ways{ByLSM}}, "BTF has no LSM hook of this name"},
		{"no way", Probe{Symbol: "surehook_nowhere", Ways: Ways{ByFentry, ByKprobe}}, "nor by a kprobe: "},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			_, _, err := kernelProbe(t, c.Probe)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			t.Log(err)
		})
	}
}

// Many entries are attached by one link, and what it cannot have by another way.
func TestKernelMany(t *testing.T) {
	needsKernel(t)
	names := []string{"vfs_mkdir", "vfs_rmdir", "vfs_open", "vfs_read", "vfs_write", "vfs_unlink", "vfs_rename", "vfs_link", "vfs_symlink",
		"vfs_statfs", "vfs_fsync", "vfs_truncate", "vfs_readlink", "vfs_llseek", "vfs_mknod", "vfs_getattr", "vfs_get_link", "vfs_fallocate"}
	if len(names) <= maxFentry {
		t.Fatal("not many")
	}
	var plan Plan
	for _, n := range names {
		plan.Probes = append(plan.Probes, Probe{Symbol: n, Ways: Ways{ByFentry, ByKprobeMulti, ByKprobe}})
	}
	c := start(t, fmt.Sprintf("mkdir:%d", dirs))
	begin := time.Now()
	s, err := Open([]Plan{plan}, Options{PID: c.PID(), BestEffort: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Logf("%s in %v", s.Mechanism(), time.Since(begin))
	for _, f := range s.Failures() {
		t.Log(f.Err)
	}
	if n := len(s.Failures()); n == len(names) && lacks(s.Failures()[0].Err) {
		t.Skip("no way is there")
	}
	c.finish(t)
	// The others may be inlined where directories are removed.
	if n := counts(t, s)[0][0]; n != dirs && n != dirs+1 { // the child's own directory is one more
		t.Errorf("%s: %d hits, want %d", names[0], n, dirs)
	}
}

// Events come from all ways; what the ring's own code would tell is lost
// rather than waited for.
func TestKernelEvents(t *testing.T) {
	needsKernel(t)
	c := start(t, fmt.Sprintf("mkdir:%d", dirs))
	plan := Plan{Probes: []Probe{{Symbol: "vfs_mkdir", Ways: Ways{ByFentry}}, {Symbol: "_raw_spin_unlock_irqrestore", Ways: Ways{ByFentry}}}}
	s, err := Open([]Plan{plan}, Options{PID: c.PID(), Events: true, BestEffort: true})
	if lacks(err) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Failures()) > 0 {
		t.Skip(s.Failures()[0].Err)
	}
	c.finish(t)
	if err := s.Detach(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for {
		e, err := s.Read(t.Context())
		if err != nil {
			break
		}
		if e.Probe == 0 {
			seen++
		}
	}
	got := counts(t, s)[0]
	lost, err := s.Lost()
	if err != nil {
		t.Fatal(err)
	}
	if got[0] < dirs || uint64(seen) > got[0] || got[1] == 0 || uint64(seen)+lost < got[0] {
		t.Errorf("%v hits, %d events of the first, %d lost", got, seen, lost)
	}
	t.Logf("%v hits, %d events of the first, %d lost", got, seen, lost)
}

// A condition of the kernel's code needs a kprobe, whose program is told its
// registers; the program for events has none.
func TestKernelConditionIsKprobes(t *testing.T) {
	l, err := arrange([]Plan{{Probes: []Probe{{Symbol: "f", Offset: 4, Cond: flow.Cond{Op: flow.RegTarget}}}}}, bpf.MaxGroup)
	if err != nil || l.breaks[0][0].ways != (Ways{}) {
		t.Errorf("%+v, %v", l, err)
	}
}
