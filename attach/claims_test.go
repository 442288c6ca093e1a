//go:build linux && (amd64 || arm64)

package attach

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"

	"github.com/surehook/surehook/attach/internal/branches"
	"github.com/surehook/surehook/internal/boundary"
	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/unix"
)

// claim is a claim of this package's comments and documents, and how the
// running kernel is asked.
type claim struct {
	boundary.Claim
	arch  string // only this one; empty: all
	probe func(t *testing.T) bool
}

const noOlder = "no kernel before 5.10 is tested"

func claims() []claim {
	return []claim{
		{boundary.Claim{Name: "uprobe_multi links", Since: "6.6"}, "", func(t *testing.T) bool {
			return supported(t, features.HaveBPFLinkUprobeMulti())
		}},
		{boundary.Claim{Name: "bpf_get_attach_cookie", Since: "5.15"}, "", func(t *testing.T) bool {
			return supported(t, features.HaveProgramHelper(ebpf.Kprobe, asm.FnGetAttachCookie))
		}},
		{boundary.Claim{Name: "sleepable uprobe programs", Since: "6.0"}, "", func(t *testing.T) bool {
			return loads(t, bpf.Config{Entries: make([]bpf.Entry, 1), Multi: true, Sleepable: true})
		}},
		{boundary.Claim{Name: "BPF memory is not of RLIMIT_MEMLOCK", Since: "5.11"}, "", allocates},
		{boundary.Claim{Name: "BPF ring buffers", Since: "5.8", OneSided: noOlder}, "", func(t *testing.T) bool {
			return supported(t, features.HaveMapType(ebpf.RingBuf))
		}},
		{boundary.Claim{Name: "probing a nop with a cs prefix", Since: "7.2"}, "amd64", func(t *testing.T) bool {
			return takes(t, []byte{0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0})
		}},
		{boundary.Claim{Name: "a probed 5-byte nop overwrites the red zone", Since: "6.18", Until: "7.2"}, "amd64", corrupts},
	}
}

// TestClaims asks the running kernel what is claimed of its version.
func TestClaims(t *testing.T) {
	needsKernel(t)
	release, err := unix.Release()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims() {
		t.Run(strings.ReplaceAll(c.Name, " ", "_"), func(t *testing.T) {
			if c.arch != "" && c.arch != runtime.GOARCH {
				t.Skip("is of " + c.arch)
			}
			c.Test(t, release, c.probe(t))
		})
	}
}

// supported reads what a feature probe of the library says.
func supported(t *testing.T, err error) bool {
	if err != nil && !errors.Is(err, ebpf.ErrNotSupported) {
		t.Fatal(err)
	}
	return err == nil
}

func loads(t *testing.T, c bpf.Config) bool {
	objs, err := bpf.Load(c)
	if err != nil {
		t.Log(err)
		return false
	}
	if err := objs.Close(); err != nil {
		t.Error(err)
	}
	return true
}

// allocates makes a map where no memory may be locked.
func allocates(t *testing.T) bool {
	const limitMemlock = 8 // RLIMIT_MEMLOCK, which package syscall lacks
	var before syscall.Rlimit
	if err := syscall.Getrlimit(limitMemlock, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(limitMemlock, &syscall.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(limitMemlock, &before); err != nil {
			t.Error(err)
		}
	}()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 1 << 12, MaxEntries: 64})
	if err != nil {
		if !errors.Is(err, syscall.EPERM) {
			t.Fatal(err)
		}
		return false
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	return true
}

// takes tells whether an instruction can be probed.
func takes(t *testing.T, insn []byte) bool {
	path := filepath.Join(t.TempDir(), "insn")
	code := append(bytes.Repeat([]byte{0x55}, 64), insn...)
	if err := os.WriteFile(path, append(code, 0xc3), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := Open([]Plan{{Path: path, Probes: []Probe{{Offset: 64}}}}, Options{AllowHazards: true})
	var pe *ProbeError
	if errors.As(err, &pe) {
		t.Log(err)
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return true
}

// redZone keeps 42 below the stack pointer, as a leaf function may, over a
// 5-byte nop, and returns it.
const (
	redZoneAt  = 64
	redZoneNop = redZoneAt + 9
	redZone    = "\x48\xc7\x44\x24\xf8\x2a\x00\x00\x00" + "\x0f\x1f\x44\x00\x00" + "\x48\x8b\x44\x24\xf8" + "\xc3"
)

// corrupts tells whether a process computes wrong results when the nop in
// redZone is probed.
func corrupts(t *testing.T) bool {
	path := filepath.Join(t.TempDir(), "redzone")
	code := append(bytes.Repeat([]byte{0x55}, redZoneAt), redZone...)
	if err := os.WriteFile(path, code, 0o755); err != nil {
		t.Fatal(err)
	}
	if out := string(run(t, "redzone:"+path)); out != "0\n" {
		t.Fatalf("without a probe %s wrong results", out)
	}
	s, err := Open([]Plan{{Path: path, Probes: []Probe{{Offset: redZoneNop}}}}, Options{AllowHazards: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := string(run(t, "redzone:"+path))
	if c := counts(t, s)[0][0]; c != redZoneCalls {
		t.Errorf("%d of %d calls counted", c, redZoneCalls)
	}
	return out != "0\n"
}

const redZoneCalls = 10

// callRedZone prints how many calls of the code in a file do not give 42.
func callRedZone(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := unix.MapText(f, 0, redZoneAt+len(redZone))
	if err != nil {
		return err
	}
	defer unix.Unmap(text)
	wrong := 0
	for range redZoneCalls {
		if branches.Call(uintptr(unsafe.Pointer(&text[redZoneAt])), &branches.Regs{}) != 42 {
			wrong++
		}
	}
	_, err = fmt.Println(wrong)
	return err
}
