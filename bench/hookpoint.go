//go:build linux && (amd64 || arm64)

package bench

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/caller"
	"github.com/surehook/surehook/internal/unix"
)

// target is what a program is put on: an offset of a file, or a symbol or event
// of the kernel.
type target struct {
	path      string
	semaphore uint64 // file offset; 0: none
	symbol    string // of a tracepoint "system:name"
	address   uint64 // of the symbol where its name does not tell
	offset    uint64 // in the file, or from the symbol
	ret       bool   // where the function that begins there returns
}

// String is how the kernel's list of kprobes names it.
func (t target) String() string { return fmt.Sprintf("%s+%#x", t.symbol, t.offset) }

// function is the kernel's for the system call getpgid.
func function() string {
	if runtime.GOARCH == "arm64" {
		return "__arm64_sys_getpgid"
	}
	return "__x64_sys_getpgid"
}

// inKernel is what the kind is put on in the kernel.
func (k kind) inKernel() target {
	switch k.mech {
	case tracepoint:
		return target{symbol: "syscalls:sys_enter_getpgid"}
	case rawTracepoint, btfTracepoint:
		return target{symbol: "sys_enter"}
	case lsm:
		return target{symbol: "task_getpgid"}
	}
	return target{symbol: function()}
}

// inFile is what the kind is put on in the program of a process.
func (k kind) inFile(p *caller.Process) (target, error) {
	at, err := caller.Where(k.call)
	return target{path: p.Path, offset: at.Probe, semaphore: at.Semaphore}, err
}

// returns tells that programs run when the function returns.
func (m mechanism) returns() bool {
	switch m {
	case kretprobe, kretprobeMulti, fexit, uretprobe, uretprobeMulti:
		return true
	}
	return false
}

// own tells that each place needs a program of its own.
func (m mechanism) own() bool { return m == fentry || m == fexit || m == btfTracepoint || m == lsm }

// prepare makes a program's specification that of the mechanism's programs.
func (m mechanism) prepare(p *ebpf.ProgramSpec, t target) {
	switch m {
	case kprobeMulti, kretprobeMulti:
		p.AttachType = ebpf.AttachTraceKprobeMulti
	case uprobeMulti, uretprobeMulti:
		p.AttachType = ebpf.AttachTraceUprobeMulti
	case fentry:
		p.Type, p.AttachType, p.AttachTo = ebpf.Tracing, ebpf.AttachTraceFEntry, t.symbol
	case fexit:
		p.Type, p.AttachType, p.AttachTo = ebpf.Tracing, ebpf.AttachTraceFExit, t.symbol
	case btfTracepoint:
		p.Type, p.AttachType, p.AttachTo = ebpf.Tracing, ebpf.AttachTraceRawTp, t.symbol
	case tracepoint:
		p.Type, p.AttachType = ebpf.TracePoint, ebpf.AttachNone
	case rawTracepoint:
		p.Type, p.AttachType = ebpf.RawTracepoint, ebpf.AttachNone
	case lsm:
		p.Type, p.AttachType, p.AttachTo = ebpf.LSM, ebpf.AttachLSMMac, t.symbol
	}
}

// put attaches a program that was prepared for the target.
func (m mechanism) put(prog *ebpf.Program, t target) (io.Closer, error) {
	switch m {
	case kprobe, kretprobe:
		if t.address != 0 {
			t.symbol, t.offset = "", t.address+t.offset
		}
		return bpf.AttachKprobe(prog, t.symbol, t.offset, m.returns() || t.ret, nil)
	case kprobeMulti, kretprobeMulti, uprobeMulti, uretprobeMulti:
		return m.putAll(prog, []target{t})
	case fentry, fexit, btfTracepoint:
		return link.AttachTracing(link.TracingOptions{Program: prog})
	case tracepoint:
		system, name, _ := strings.Cut(t.symbol, ":")
		return link.Tracepoint(system, name, prog, nil)
	case rawTracepoint:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: t.symbol, Program: prog})
	case lsm:
		return link.AttachLSM(link.LSMOptions{Program: prog})
	}
	ex, err := link.OpenExecutable(t.path)
	if err != nil {
		return nil, err
	}
	opts := &link.UprobeOptions{Address: t.offset, RefCtrOffset: t.semaphore}
	if m.returns() || t.ret {
		return ex.Uretprobe("", prog, opts)
	}
	return ex.Uprobe("", prog, opts)
}

// many tells that one link takes all places.
func (m mechanism) many() bool {
	return m == kprobeMulti || m == kretprobeMulti || m == uprobeMulti || m == uretprobeMulti
}

// putAll attaches a program to many places of one file or of the kernel, all
// entries or all returns.
func (m mechanism) putAll(prog *ebpf.Program, all []target) (io.Closer, error) {
	if all[0].path == "" {
		var opts link.KprobeMultiOptions
		for _, t := range all {
			if t.address != 0 {
				opts.Addresses = append(opts.Addresses, uintptr(t.address))
			} else {
				opts.Symbols = append(opts.Symbols, t.symbol)
			}
		}
		if m.returns() || all[0].ret {
			return link.KretprobeMulti(prog, opts)
		}
		return link.KprobeMulti(prog, opts)
	}
	ex, err := link.OpenExecutable(all[0].path)
	if err != nil {
		return nil, err
	}
	opts := &link.UprobeMultiOptions{}
	for _, t := range all {
		opts.Addresses = append(opts.Addresses, t.offset)
		if all[0].semaphore != 0 {
			opts.RefCtrOffsets = append(opts.RefCtrOffsets, t.semaphore)
		}
	}
	if m.returns() || all[0].ret {
		return ex.UretprobeMulti(nil, prog, opts)
	}
	return ex.UprobeMulti(nil, prog, opts)
}

// explain says in plain words why this kernel does not attach there.
func (m mechanism) explain(t target, err error) string {
	way := attach.NoWay
	switch m {
	case kprobe, kretprobe:
		way = attach.ByKprobe
	case kprobeMulti, kretprobeMulti:
		if errors.Is(features.HaveBPFLinkKprobeMulti(), ebpf.ErrNotSupported) {
			return "this kernel has no kprobe_multi links (CONFIG_FPROBE)"
		}
		way = attach.ByKprobeMulti
	case uprobeMulti, uretprobeMulti:
		if errors.Is(features.HaveBPFLinkUprobeMulti(), ebpf.ErrNotSupported) {
			return "this kernel has no uprobe_multi links (Linux 6.6)"
		}
	case fentry, fexit, btfTracepoint:
		way = attach.ByFentry
	case tracepoint:
		way = attach.ByTracepoint
	case rawTracepoint:
		way = attach.ByRawTracepoint
	case lsm:
		way = attach.ByLSM
	}
	if way == attach.NoWay {
		return attach.ExplainUser(err)
	}
	return attach.Explain(way, attach.Probe{Symbol: t.symbol, Offset: t.offset, Return: m.returns() || t.ret}, err)
}

// load loads a work for a target.
func (m mechanism) load(w Work, t target) (*bpf.Work, error) {
	change := func(p *ebpf.ProgramSpec) { m.prepare(p, t) }
	prog, err := bpf.LoadWork(string(w), change)
	if err != nil && !errors.Is(err, ebpf.ErrNotSupported) && unix.UnlimitLocked() == nil {
		return bpf.LoadWork(string(w), change) // before Linux 5.11 the limit may be the reason
	}
	return prog, err
}
