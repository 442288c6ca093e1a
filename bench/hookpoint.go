//go:build linux && (amd64 || arm64)

package bench

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/caller"
	"github.com/surehook/surehook/internal/unix"
)

// function is the kernel's for the system call getpgid.
func function() string {
	if runtime.GOARCH == "arm64" {
		return "__arm64_sys_getpgid"
	}
	return "__x64_sys_getpgid"
}

const (
	event   = "sys_enter_getpgid" // of syscalls
	rawName = "sys_enter"
	lsmHook = "task_getpgid"
)

// prepare makes a program's specification that of the mechanism's programs.
func (m mechanism) prepare(p *ebpf.ProgramSpec) {
	switch m {
	case kprobeMulti, kretprobeMulti:
		p.AttachType = ebpf.AttachTraceKprobeMulti
	case uprobeMulti, uretprobeMulti:
		p.AttachType = ebpf.AttachTraceUprobeMulti
	case fentry:
		p.Type, p.AttachType, p.AttachTo = ebpf.Tracing, ebpf.AttachTraceFEntry, function()
	case fexit:
		p.Type, p.AttachType, p.AttachTo = ebpf.Tracing, ebpf.AttachTraceFExit, function()
	case btfTracepoint:
		p.Type, p.AttachType, p.AttachTo = ebpf.Tracing, ebpf.AttachTraceRawTp, rawName
	case tracepoint:
		p.Type, p.AttachType = ebpf.TracePoint, ebpf.AttachNone
	case rawTracepoint:
		p.Type, p.AttachType = ebpf.RawTracepoint, ebpf.AttachNone
	case lsm:
		p.Type, p.AttachType, p.AttachTo = ebpf.LSM, ebpf.AttachLSMMac, lsmHook
	}
}

// put attaches a program to what the process calls. at is the place of kprobes.
func (k kind) put(prog *ebpf.Program, p *caller.Process, at spot) (io.Closer, error) {
	switch k.mech {
	case kprobe, kretprobe:
		return bpf.AttachKprobe(prog, at.symbol, at.offset, k.mech == kretprobe, nil)
	case kprobeMulti:
		return link.KprobeMulti(prog, link.KprobeMultiOptions{Symbols: []string{function()}})
	case kretprobeMulti:
		return link.KretprobeMulti(prog, link.KprobeMultiOptions{Symbols: []string{function()}})
	case fentry, fexit, btfTracepoint:
		return link.AttachTracing(link.TracingOptions{Program: prog})
	case tracepoint:
		return link.Tracepoint("syscalls", event, prog, nil)
	case rawTracepoint:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: rawName, Program: prog})
	case lsm:
		return link.AttachLSM(link.LSMOptions{Program: prog})
	case uprobe, uretprobe, uprobeMulti, uretprobeMulti:
		return k.putUser(prog, p)
	}
	return nil, fmt.Errorf("%s: nothing attaches it", k.name)
}

func (k kind) putUser(prog *ebpf.Program, p *caller.Process) (io.Closer, error) {
	at, err := caller.Where(k.call)
	if err != nil {
		return nil, err
	}
	ex, err := link.OpenExecutable(p.Path)
	if err != nil {
		return nil, err
	}
	one := &link.UprobeOptions{Address: at.Probe, RefCtrOffset: at.Semaphore}
	multi := &link.UprobeMultiOptions{Addresses: []uint64{at.Probe}}
	if at.Semaphore != 0 {
		multi.RefCtrOffsets = []uint64{at.Semaphore}
	}
	switch k.mech {
	case uretprobe:
		return ex.Uretprobe("", prog, one)
	case uprobeMulti:
		return ex.UprobeMulti(nil, prog, multi)
	case uretprobeMulti:
		return ex.UretprobeMulti(nil, prog, multi)
	}
	return ex.Uprobe("", prog, one)
}

// explain says in plain words why this kernel does not attach a kind.
func (k kind) explain(at spot, err error) string {
	p := attach.Probe{Symbol: at.symbol, Offset: at.offset, Return: k.mech == kretprobe || k.mech == fexit}
	way := attach.NoWay
	switch k.mech {
	case kprobe, kretprobe:
		way = attach.ByKprobe
	case kprobeMulti, kretprobeMulti:
		if errors.Is(err, ebpf.ErrNotSupported) {
			return "this kernel has no kprobe_multi links (CONFIG_FPROBE)"
		}
		way = attach.ByKprobeMulti
	case fentry, fexit, btfTracepoint:
		way = attach.ByFentry
	case tracepoint:
		way = attach.ByTracepoint
	case rawTracepoint:
		way = attach.ByRawTracepoint
	case lsm:
		way = attach.ByLSM
	case uprobeMulti, uretprobeMulti:
		if errors.Is(err, ebpf.ErrNotSupported) {
			return "this kernel has no uprobe_multi links (Linux 6.6)"
		}
	}
	if way == attach.NoWay {
		return attach.ExplainUser(err)
	}
	return attach.Explain(way, p, err)
}

// load loads a work for the kind.
func (k kind) load(w Work) (*bpf.Work, error) {
	prog, err := bpf.LoadWork(string(w), k.mech.prepare)
	if err != nil && errors.Is(err, ebpf.ErrNotSupported) {
		return nil, err
	}
	if err != nil && unix.UnlimitLocked() == nil { // before Linux 5.11 that may be the reason
		return bpf.LoadWork(string(w), k.mech.prepare)
	}
	return prog, err
}
