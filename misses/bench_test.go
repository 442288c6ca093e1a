//go:build linux && (amd64 || arm64)

package misses

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// manyPrograms is how many programs are loaded while a refresh is measured.
const manyPrograms = 500

// BenchmarkWatch is what one refresh of --watch costs with 500 programs
// attached. At one a second, 20 ms are 2 % of a core.
func BenchmarkWatch(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("loading programs needs root")
	}
	for range manyPrograms {
		p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Name: "idle", Type: ebpf.RawTracepoint, License: "GPL",
			Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		})
		if err != nil {
			b.Skip(err)
		}
		defer p.Close()
		// An event that nobody makes here: a computer is not hibernated.
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "suspend_resume", Program: p})
		if err != nil {
			b.Skip(err)
		}
		defer l.Close()
	}
	a, err := SelfTest()
	if err != nil {
		b.Fatal(err)
	}
	sampler := NewSampler(a)
	before, err := sampler.Read()
	if err != nil {
		b.Fatal(err)
	}
	var v View
	start := cpu(b)
	for b.Loop() {
		s, err := sampler.Read()
		if err != nil {
			b.Fatal(err)
		}
		if len(s.Programs) < manyPrograms {
			b.Fatalf("%d programs", len(s.Programs))
		}
		v.Frame(s, Rates(before, s), 50, 200)
		before = s
	}
	perRefresh := (cpu(b) - start) / time.Duration(b.N)
	b.ReportMetric(float64(perRefresh.Microseconds()), "cpu-µs/refresh")
}

// cpu is the processor time that this process has taken.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
