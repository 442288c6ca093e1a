//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bpfFS mounts a BPF file system.
func bpfFS(t *testing.T) string {
	t.Helper()
	if can := needsKernel(t); !can.multi {
		t.Skip("this kernel has no uprobe_multi links (Linux 6.6)")
	}
	dir := t.TempDir()
	if err := syscall.Mount("bpf", dir, "bpf", 0, ""); err != nil {
		t.Skip("needs to mount a BPF file system: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return filepath.Join(dir, "surehook")
}

func pinnedBase(t *testing.T, dir string) *Base {
	t.Helper()
	b, err := NewBase(BaseOptions{Room: 16, Pin: dir})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is pinned goes on counting when its process is gone, and is taken over.
func TestPin(t *testing.T) {
	dir := bpfFS(t)
	f, err := os.Open(self(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	probes := plainPlan(t)[0].Probes
	b := pinnedBase(t, dir)
	if _, err := b.Attach(f, "f", probes, Options{Name: "kept-1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Attach(f, "f", probes[1:2], Options{Name: "unwanted"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Attach(f, "f", probes, Options{}); err != nil {
		t.Fatal(err)
	}
	start(t, "call:10").finish(t)
	if err := b.Leave(); err != nil {
		t.Fatal(err)
	}
	start(t, "call:100").finish(t)

	b = pinnedBase(t, dir)
	want := []Left{{"kept-1", 3, true}, {"unwanted", 1, true}}
	if diff := cmp.Diff(want, b.Left()); diff != "" {
		t.Fatal(diff)
	}
	if _, err := b.Adopt("kept-1", "f", probes[:2]); !errors.Is(err, ErrInvalid) {
		t.Errorf("adopted with other probes: %v", err)
	}
	s, err := b.Adopt("kept-1", "f", probes)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Abandon("unwanted"); err != nil {
		t.Fatal(err)
	}
	start(t, "call:1000").finish(t)
	if diff := cmp.Diff([][]uint64{{0, 1110, 1110}}, counts(t, s)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	// Its room is not given to others.
	fresh := b.mustAttach(t, f, probes)
	start(t, "call:7").finish(t)
	if diff := cmp.Diff([][]uint64{{0, 1117, 1117}}, counts(t, s)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]uint64{{0, 7, 7}}, counts(t, fresh)); diff != "" {
		t.Errorf("a new session (-want +got):\n%s", diff)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(dir + "/*_*")
	if err != nil || len(files) > 0 {
		t.Errorf("left behind: %v %v", files, err)
	}
	b = pinnedBase(t, dir)
	if left := b.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if err := b.Leave(); err != nil {
		t.Error(err)
	}
}

// A session that lost a link is told; its counts are there.
func TestPinHalf(t *testing.T) {
	dir := bpfFS(t)
	f, err := os.Open(self(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	probes := plainPlan(t)[0].Probes
	b := pinnedBase(t, dir)
	if _, err := b.Attach(f, "f", probes, Options{Name: "half"}); err != nil {
		t.Fatal(err)
	}
	start(t, "call:10").finish(t)
	if err := b.Leave(); err != nil {
		t.Fatal(err)
	}
	for k := range 2 {
		if err := os.Remove(filepath.Join(dir, pinName("half", 0, 3, k, 2))); err != nil {
			t.Fatal(err)
		}
		left, err := remnants(dir)
		if err != nil || left["half"] == nil || left["half"].whole() {
			t.Fatalf("without link %d: %+v, %v", k, left, err)
		}
	}
	b = pinnedBase(t, dir)
	if diff := cmp.Diff([]Left{{"half", 3, false}}, b.Left()); diff != "" {
		t.Fatal(diff)
	}
	s, err := b.Adopt("half", "f", probes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]uint64{{0, 10, 10}}, counts(t, s)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	t.Run("maps", pinsMapsAgain)
}

// A process that was killed while it pinned its maps does no harm.
func pinsMapsAgain(t *testing.T) {
	dir := bpfFS(t)
	if err := pinnedBase(t, dir).Leave(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "entries")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first begins anew, the second goes on
		if err := pinnedBase(t, dir).Leave(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPinRefuses(t *testing.T) {
	dir := bpfFS(t)
	f, err := os.Open(self(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := pinnedBase(t, dir)
	defer b.Close()
	probes := plainPlan(t)[0].Probes[:1]
	for _, name := range []string{"a/b", "a_b", "a.b"} {
		if _, err := b.Attach(f, "f", probes, Options{Name: name}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := b.Adopt("nobody", "f", probes); !errors.Is(err, ErrUnknown) {
		t.Errorf("adopted nobody: %v", err)
	}
	if _, err := NewBase(BaseOptions{Pin: t.TempDir()}); err == nil {
		t.Error("pinned outside of a BPF file system")
	}
}
