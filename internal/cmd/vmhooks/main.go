//go:build linux

// Command vmhooks tries to attach hooks, one after the other, and writes what
// became of each. It runs inside virtual machines of package kerneltruth.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"

	"github.com/surehook/surehook/internal/kerneltruth"
	"github.com/surehook/surehook/internal/unix"
)

func main() {
	var err error
	if len(os.Args) == 3 && os.Args[1] == "work" {
		err = work(os.Args[2])
	} else {
		err = run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vmhooks:", err)
		os.Exit(1)
	}
}

func run() error {
	data, err := os.ReadFile(kerneltruth.AttemptsFile)
	if err != nil {
		return err
	}
	var list []kerneltruth.Attempt
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return err
	}
	var out []kerneltruth.Tried
	for _, a := range list {
		t := kerneltruth.Tried{Hook: a.Hook}
		if err := try(a); err != nil {
			t.Error = err.Error()
		}
		out = append(out, t)
	}
	if data, err = json.Marshal(out); err != nil {
		return err
	}
	return os.WriteFile(kerneltruth.TriedFile, data, 0o644)
}

// try attaches a hook and takes it off again.
func try(a kerneltruth.Attempt) error {
	switch a.Kind {
	case "kprobe", "kretprobe":
		fd, err := unix.OpenKprobe(a.Name, 0, a.Kind == "kretprobe")
		if err != nil {
			return err
		}
		return unix.CloseFD(fd)
	case "tracepoint":
		return attach(ebpf.TracePoint, ebpf.AttachNone, "", func(p *ebpf.Program) (link.Link, error) {
			return link.Tracepoint(a.System, a.Name, p, nil)
		})
	case "rawtracepoint":
		return attach(ebpf.RawTracepoint, ebpf.AttachNone, "", func(p *ebpf.Program) (link.Link, error) {
			return link.AttachRawTracepoint(link.RawTracepointOptions{Name: a.Name, Program: p})
		})
	case "fentry":
		return attach(ebpf.Tracing, ebpf.AttachTraceFEntry, a.Name, func(p *ebpf.Program) (link.Link, error) {
			return link.AttachTracing(link.TracingOptions{Program: p})
		})
	case "fexit":
		return attach(ebpf.Tracing, ebpf.AttachTraceFExit, a.Name, func(p *ebpf.Program) (link.Link, error) {
			return link.AttachTracing(link.TracingOptions{Program: p})
		})
	case "lsm":
		return attach(ebpf.LSM, ebpf.AttachLSMMac, a.Name, func(p *ebpf.Program) (link.Link, error) {
			return link.AttachLSM(link.LSMOptions{Program: p})
		})
	case "kprobe.multi":
		return attach(ebpf.Kprobe, ebpf.AttachTraceKprobeMulti, "", func(p *ebpf.Program) (link.Link, error) {
			return link.KprobeMulti(p, link.KprobeMultiOptions{Symbols: []string{a.Name}})
		})
	}
	return fmt.Errorf("kind %q", a.Kind)
}

// attach loads a program that does nothing and attaches it.
func attach(kind ebpf.ProgramType, how ebpf.AttachType, to string, put func(*ebpf.Program) (link.Link, error)) error {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "nothing", Type: kind, AttachType: how, AttachTo: to, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return fmt.Errorf("load: %w", short(err))
	}
	defer p.Close()
	l, err := put(p)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return l.Close()
}

// short leaves the verifier's log out.
func short(err error) error {
	var v *ebpf.VerifierError
	if errors.As(err, &v) {
		return fmt.Errorf("%w: %s", v.Cause, last(v.Log))
	}
	return err
}

func last(log []string) string {
	if len(log) == 0 {
		return ""
	}
	return log[max(0, len(log)-2)]
}
