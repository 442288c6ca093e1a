package unix

import (
	"encoding/binary"
	"math"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	bpfObjGetInfo  = 15 // enum bpf_cmd
	bpfTaskFDQuery = 20
)

// ProgramInfo is a part of struct bpf_prog_info.
type ProgramInfo struct {
	Loaded     time.Duration // after boot
	UID        uint32
	RunTime    time.Duration
	Runs       uint64
	Skipped    uint64 // recursion_misses; valid if HasSkipped
	HasSkipped bool   // Linux 5.12 and later
	TargetBTF  uint32 // number of the BTF that TargetType is in; valid if HasTarget
	TargetType uint32 // number of the type it was loaded for; 0: none
	HasTarget  bool   // Linux 6.0 and later
}

// ProgInfo reads what the kernel says of a program. The length of what it
// gives tells which fields it knows (bpf_obj_get_info_by_fd).
func ProgInfo(fd int) (ProgramInfo, error) {
	const size = 232              // up to attach_btf_id, with its padding
	info := new([size / 8]uint64) // aligned
	var pin runtime.Pinner
	pin.Pin(info)
	defer pin.Unpin()
	attr := struct {
		fd, length uint32
		info       uint64
	}{uint32(fd), size, uint64(uintptr(unsafe.Pointer(info)))}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfObjGetInfo, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return ProgramInfo{}, errno
	}
	half := func(offset int) uint32 {
		return binary.NativeEndian.Uint32(unsafe.Slice((*byte)(unsafe.Pointer(info)), size)[offset:])
	}
	return ProgramInfo{
		Loaded: nanoseconds(info[40/8]), UID: half(48), RunTime: nanoseconds(info[192/8]), Runs: info[200/8],
		Skipped: info[208/8], HasSkipped: attr.length >= 216,
		TargetBTF: half(220), TargetType: half(224), HasTarget: attr.length >= 228,
	}, nil
}

func nanoseconds(n uint64) time.Duration { return time.Duration(min(n, math.MaxInt64)) }

// The kinds of events that TaskFD tells (enum bpf_task_fd_type).
const (
	FDRawTracepoint = iota
	FDTracepoint
	FDKprobe
	FDKretprobe
	FDUprobe
	FDUretprobe
)

// FDEvent is a perf event of a process that runs a program.
type FDEvent struct {
	Program uint32
	Kind    uint32
	Name    string // event, kernel function, or path
	Offset  uint64 // of a function or in the file
	Address uint64 // of a kernel function that is given by address
}

// TaskFD asks what runs at a file descriptor of a process. Requires at least
// Linux 4.18, commit 41bdc4b40ed6 ("bpf: introduce bpf subcommand BPF_TASK_FD_QUERY").
// The error is the kernel's errno: ENOTSUPP (524) for what is no tracing.
func TaskFD(pid, fd int) (FDEvent, error) {
	name := new([unix.PathMax]byte)
	var pin runtime.Pinner
	pin.Pin(name)
	defer pin.Unpin()
	attr := struct {
		pid, fd, flags, length    uint32
		buf                       uint64
		program, kind             uint32
		probeOffset, probeAddress uint64
	}{pid: uint32(pid), fd: uint32(fd), length: uint32(len(name)), buf: uint64(uintptr(unsafe.Pointer(name)))}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfTaskFDQuery, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return FDEvent{}, errno
	}
	return FDEvent{attr.program, attr.kind, unix.ByteSliceToString(name[:]), attr.probeOffset, attr.probeAddress}, nil
}
