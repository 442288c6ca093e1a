//go:build linux && (amd64 || arm64)

package caller

import (
	"bytes"
	"os"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/internal/demo/manifest"
	"github.com/surehook/surehook/internal/unix"
)

// TestManifest checks that the programs are those of the sources.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := manifest.Sum(os.DirFS("src"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Sources, sums); diff != "" {
		t.Errorf("the sources changed: go generate ./internal/caller\n%s", diff)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		program, err := Program(arch)
		if err != nil {
			t.Fatal(err)
		}
		if set := m.Set(arch); len(set.Programs) != 1 || set.Programs[0].SHA256 != manifest.Hash(program) {
			t.Errorf("%s: not the program of the manifest", arch)
		}
	}
}

// TestWhere checks that functions begin with the instruction they are named after.
func TestWhere(t *testing.T) {
	want := map[string]map[Call][]byte{
		"amd64": {
			Nop: {0x90}, Push: {0x55}, Endbr: {0xf3, 0x0f, 0x1e, 0xfa}, Ret: {0xc3}, USDT: {0x90},
			Nop5: {0x0f, 0x1f, 0x44, 0, 0}, Nop10: {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
		},
		"arm64": {
			Nop: {0x1f, 0x20, 0x03, 0xd5}, Push: {0xfd, 0x7b, 0xbf, 0xa9}, Endbr: {0x5f, 0x24, 0x03, 0xd5},
			Ret: {0xc0, 0x03, 0x5f, 0xd6}, USDT: {0x1f, 0x20, 0x03, 0xd5},
		},
	}[runtime.GOARCH]
	program, err := Program(runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	for call, code := range want {
		place, err := Where(call)
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.HasPrefix(program[place.Probe:], code) {
			t.Errorf("call %d is at %#x: % x, want % x", call, place.Probe, program[place.Probe:][:12], code)
		}
		if (place.Semaphore != 0) != (call == USDT) {
			t.Errorf("call %d has its semaphore at %#x", call, place.Semaphore)
		}
	}
	if _, err := Where(Getpgid); err == nil {
		t.Error("a system call has a place")
	}
}

// TestRun checks that all can be called, and that the process is gone then.
func TestRun(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpus, err := unix.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p, err := Start(dir, cpus[len(cpus)-1])
	if err != nil {
		t.Fatal(err)
	}
	for call := Getpgid; call <= USDT; call++ {
		took, err := p.Run(call, 1000, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range took {
			if d <= 0 {
				t.Errorf("call %d took %v", call, took)
			}
		}
	}
	if _, err := p.Run(USDT+1, 1, 1); err == nil {
		t.Error("a call that is not there was made")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
