//go:build linux && (amd64 || arm64)

package running

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	bpflink "github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/hook"
)

// load loads a program that does nothing, or skips the test.
func load(t *testing.T, kind ebpf.ProgramType, attach ebpf.AttachType) *ebpf.Program {
	t.Helper()
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "surehook_test", Type: kind, AttachType: attach, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	switch {
	case errors.Is(err, os.ErrPermission):
		t.Skip("loading BPF programs is not permitted: ", err)
	case errors.Is(err, ebpf.ErrNotSupported):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func number(t *testing.T, p *ebpf.Program) uint32 {
	t.Helper()
	info, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := info.ID()
	return uint32(id)
}

// executable copies this program, and gives the file offset of its entry.
func executable(t *testing.T) (path string, ex *bpflink.Executable, entry uint64) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && f.Entry >= p.Vaddr && f.Entry < p.Vaddr+p.Filesz {
			entry = f.Entry - p.Vaddr + p.Off
		}
	}
	path = filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	if ex, err = bpflink.OpenExecutable(path); err != nil {
		t.Fatal(err)
	}
	return path, ex, entry
}

// find reads the machine and gives what a program of this test is attached to.
func find(t *testing.T, p *ebpf.Program) (*Inventory, Attachment) {
	t.Helper()
	inv, err := Read(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []Attachment
	for _, a := range inv.Attachments {
		if a.Program == number(t, p) {
			out = append(out, a)
		}
	}
	if len(out) != 1 {
		t.Fatalf("%d attachments: %+v", len(out), out)
	}
	a := out[0]
	if len(a.Owners) != 1 || a.Owners[0].PID != os.Getpid() {
		t.Errorf("owners %+v", a.Owners)
	}
	held := inv.Program(a.Program)
	if held == nil || held.Name != "surehook_test" || len(held.Holders) != 1 || held.Loaded == 0 {
		t.Errorf("program %+v", held)
	}
	return inv, a
}

func TestUprobes(t *testing.T) {
	path, ex, entry := executable(t)
	p := load(t, ebpf.Kprobe, ebpf.AttachNone)
	l, err := ex.Uretprobe("", p, &bpflink.UprobeOptions{Address: entry})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, a := find(t, p)
	if len(a.Places) != 1 || a.Places[0].Kind != hook.Uretprobe || a.Places[0].File.Open != path || a.Places[0].Offset != entry {
		t.Errorf("%+v", a)
	}
	if a.Mechanism == PerfLink && a.Link == 0 || a.Missed.NotKnown == "" {
		t.Errorf("%+v", a)
	}
}

// TestUprobeMulti: one link, two places; a file that is replaced shows.
func TestUprobeMulti(t *testing.T) {
	if err := features.HaveBPFLinkUprobeMulti(); err != nil {
		t.Skip(err)
	}
	path, ex, entry := executable(t)
	p := load(t, ebpf.Kprobe, ebpf.AttachTraceUprobeMulti)
	l, err := ex.UprobeMulti(nil, p, &bpflink.UprobeMultiOptions{Addresses: []uint64{entry, entry + 64}, PID: uint32(os.Getpid())})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, a := find(t, p)
	if a.NotKnown != "" {
		t.Skip(a.NotKnown)
	}
	if a.Mechanism != UprobeMulti || len(a.Places) != 2 || a.Places[1].Kind != hook.Uprobe || a.Places[0].File.Path != path || a.Places[0].File.Deleted {
		t.Errorf("%+v", a)
	}
	if a.PID != uint32(os.Getpid()) {
		t.Errorf("in process %d", a.PID)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, a = find(t, p); !a.Places[0].File.Deleted || a.Places[0].File.Path != path {
		t.Errorf("%+v", a.Places[0].File)
	}
}

func TestRawTracepoint(t *testing.T) {
	p := load(t, ebpf.RawTracepoint, ebpf.AttachNone)
	l, err := bpflink.AttachRawTracepoint(bpflink.RawTracepointOptions{Name: "sched_kthread_stop", Program: p})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	inv, a := find(t, p)
	if a.NotKnown == "" && (a.Mechanism != RawLink || len(a.Places) != 1 || a.Places[0].Name != "sched_kthread_stop" || a.Places[0].Kind != hook.RawTracepoint) {
		t.Errorf("%+v", a)
	}
	if c := inv.Program(a.Program).Skipped; c.NotKnown == "" && c.N != 0 {
		t.Errorf("%+v", c)
	}
}

// TestNotPermitted: who may not list programs is told so.
func TestNotPermitted(t *testing.T) {
	if os.Getuid() == 0 {
		runtime.LockOSThread() // its rights are not given back: the thread ends with the test
		const nobody = 65534
		// The raw call is for this thread only.
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			t.Fatal(errno)
		}
	}
	if inv, err := Read(Options{}); !errors.Is(err, ErrNotPermitted) || inv != nil {
		t.Error(inv, err)
	}
}
