//go:build linux && (amd64 || arm64)

package running

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	bpflink "github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/hook"
)

// rare is a function of every kernel that hardly ever runs.
const rare = "vfs_fsync"

// TestKernel: every way to attach to the kernel tells its place.
func TestKernel(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spec   ebpf.ProgramSpec
		attach func(p *ebpf.Program) (bpflink.Link, error)
		want   Place
	}{
		{"kprobe", ebpf.ProgramSpec{Type: ebpf.Kprobe}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.Kprobe(rare, p, nil)
		}, Place{Kind: hook.Kprobe, Name: rare}},
		{"kretprobe", ebpf.ProgramSpec{Type: ebpf.Kprobe}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.Kretprobe(rare, p, nil)
		}, Place{Kind: hook.Kretprobe, Name: rare}},
		{"kprobe.multi", ebpf.ProgramSpec{Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceKprobeMulti}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.KprobeMulti(p, bpflink.KprobeMultiOptions{Symbols: []string{rare}})
		}, Place{Kind: hook.KprobeMulti, Name: rare}},
		{"kretprobe.multi", ebpf.ProgramSpec{Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceKprobeMulti}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.KretprobeMulti(p, bpflink.KprobeMultiOptions{Symbols: []string{rare}})
		}, Place{Kind: hook.KretprobeMulti, Name: rare}},
		{"fentry", ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceFEntry, AttachTo: rare}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.AttachTracing(bpflink.TracingOptions{Program: p})
		}, Place{Kind: hook.Fentry, Name: rare}},
		{"fexit", ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceFExit, AttachTo: rare}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.AttachTracing(bpflink.TracingOptions{Program: p})
		}, Place{Kind: hook.Fexit, Name: rare}},
		{"tp_btf", ebpf.ProgramSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "sched_kthread_stop"}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.AttachTracing(bpflink.TracingOptions{Program: p})
		}, Place{Kind: hook.RawTracepoint, Name: "sched_kthread_stop"}},
		{"lsm", ebpf.ProgramSpec{Type: ebpf.LSM, AttachType: ebpf.AttachLSMMac, AttachTo: "quotactl"}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.AttachLSM(bpflink.LSMOptions{Program: p})
		}, Place{Kind: hook.LSM, Name: "quotactl"}},
		{"tracepoint", ebpf.ProgramSpec{Type: ebpf.TracePoint}, func(p *ebpf.Program) (bpflink.Link, error) {
			return bpflink.Tracepoint("sched", "sched_kthread_stop", p, nil)
		}, Place{Kind: hook.Tracepoint, Name: "sched_kthread_stop"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := tt.spec
			spec.Name, spec.License = "surehook_test", "GPL"
			spec.Instructions = asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
			p, err := ebpf.NewProgram(&spec)
			if err != nil {
				t.Skip("this kernel does not load it: ", err)
			}
			defer p.Close()
			l, err := tt.attach(p)
			if err != nil {
				t.Skip("this kernel does not attach it: ", err)
			}
			defer l.Close()
			_, a := find(t, p)
			if a.NotKnown != "" {
				t.Skip("this kernel does not tell: ", a.NotKnown)
			}
			if len(a.Places) != 1 {
				t.Fatalf("%+v", a)
			}
			got := a.Places[0]
			got.Address = 0 // which may be hidden
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
