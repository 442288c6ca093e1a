//go:build linux

package mapped

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/internal/child"
	"github.com/surehook/surehook/internal/unix"
)

const text = `7f0000000000-7f0000001000 r--p 00000000 fe:00 1234                       /lib/x.so
7f0000001000-7f0000003000 r-xp 00001000 fe:00 1234                       /lib/x.so
7f0000003000-7f0000004000 r-xp 00001000 fe:00 12345                      /lib/y.so
7f0000004000-7f0000005000 r-xp 00002000 00:27 1234                       /merged/lib/x.so (deleted)
7f0000005000-7f0000006000 r-xp 00002000 00:27 1234                       /other/z.so
7f0000006000-7f0000007000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
broken line with  1234  in it
`

func TestAreas(t *testing.T) {
	f := File{ID: unix.FileID{Dev: unix.Device(0xfe, 0), Ino: 1234}, Base: "x.so"}
	want := []Area{
		{0x7f0000000000, 0x7f0000001000, 0, false},
		{0x7f0000001000, 0x7f0000003000, 0x1000, true},
		{0x7f0000004000, 0x7f0000005000, 0x2000, true},
	}
	if diff := cmp.Diff(want, areas([]byte(text), f)); diff != "" {
		t.Error(diff)
	}
	f.ID.Ino = 99
	if a := areas([]byte(text), f); a != nil {
		t.Errorf("%+v", a)
	}
}

func FuzzAreas(f *testing.F) {
	f.Add(text, uint64(1234))
	f.Fuzz(func(t *testing.T, text string, ino uint64) {
		areas([]byte(text), File{ID: unix.FileID{Ino: ino}, Base: "x.so"})
	})
}

// Who has a file open, or runs it, is found.
func TestFind(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	data, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := unix.Stat(f)
	if err != nil {
		t.Fatal(err)
	}
	runs := exec.Command(path, "100")
	runs.Args[0] = sleep // busybox does what it is called
	opens := exec.Command(sleep, "100")
	opens.ExtraFiles = []*os.File{f}
	for _, c := range []*exec.Cmd{runs, opens} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { c.Process.Kill(); c.Wait() }()
	}
	of := File{ID: info.FileID, Base: "program"}
	found := map[int]User{}
	for _, open := range []bool{false, true} {
		users, err := Find([]File{of}, open)
		if err != nil {
			t.Fatal(err)
		}
		clear(found)
		for _, u := range users[0] {
			found[u.PID] = u
		}
		if u, ok := found[runs.Process.Pid]; !ok || !u.Runs() {
			t.Errorf("open %v: who runs it is not found: %+v", open, found)
		}
		if u, ok := found[opens.Process.Pid]; ok != open || u.Open != open {
			t.Errorf("open %v: who has it open: %+v", open, found)
		}
	}
	if len(Of(runs.Process.Pid, of)) == 0 {
		t.Error("its areas are not found")
	}
}

// maps has the test's program be TestLoading's other process.
const maps = "SUREHOOK_TEST_MAPS"

// Whoever loads a library has it open until it is mapped: there is no moment at
// which it is not found.
func TestLoading(t *testing.T) {
	if dir := os.Getenv(maps); dir != "" {
		load(t, dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLoading$")
	cmd.Env = append(os.Environ(), maps+"="+dir)
	c, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer c.End()
	for i := range loads {
		path := library(dir, i)
		if err := os.WriteFile(path, make([]byte, 4096), 0o644); err != nil {
			t.Fatal(err)
		}
		id, err := unix.StatPath(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Say("load"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Hear(); err != nil { // it has the file open
			t.Fatal(err)
		}
		users := find([]int{c.PID()}, []File{{ID: id, Base: filepath.Base(path)}}, true)
		if len(users[0]) == 0 {
			t.Fatalf("load %d: the process that has it open or mapped was not found", i)
		}
	}
}

const loads = 500

func library(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("%d.so", i)) }

// load opens a file for each line of its input, says so, and maps it a moment later.
func load(t *testing.T, dir string) {
	in := bufio.NewScanner(os.Stdin)
	for i := range loads {
		if !in.Scan() {
			return
		}
		f, err := os.Open(library(dir, i))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("open")
		for end := time.Now().Add(time.Duration(i%100) * time.Microsecond); time.Now().Before(end); {
		}
		mem, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		defer syscall.Munmap(mem)
	}
	in.Scan() // until the test has seen the last one
}
