package unix

import (
	"encoding/binary"
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	bpfProgNextID = 11 // enum bpf_cmd
	bpfProgByID   = 13
	bpfLinkByID   = 30
	bpfLinkNextID = 31
)

// ProgramIDs lists the numbers of all loaded programs.
func ProgramIDs() ([]uint32, error) { return ids(bpfProgNextID) }

// LinkIDs lists the numbers of all links. Requires at least Linux 5.8, commit
// a3b80e107894 ("bpf: Allocate ID for bpf_link"); older ones give EINVAL.
func LinkIDs() ([]uint32, error) { return ids(bpfLinkNextID) }

func ids(command uintptr) ([]uint32, error) {
	var out []uint32
	attr := struct{ start, next, flags uint32 }{}
	for {
		_, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
		if errno == unix.ENOENT {
			return out, nil
		}
		if errno != 0 {
			return nil, errno
		}
		out = append(out, attr.next)
		attr.start = attr.next
	}
}

// ProgramByID reads what the kernel says of a program. The program is not kept
// from being unloaded for longer than that.
func ProgramByID(id uint32) (ProgramInfo, error) {
	fd, err := byID(bpfProgByID, id)
	if err != nil {
		return ProgramInfo{}, err
	}
	info, err := ProgInfo(fd)
	return info, errors.Join(err, unix.Close(fd))
}

func byID(command uintptr, id uint32) (int, error) {
	attr := struct{ id, next, flags uint32 }{id: id}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// Types of links with a number of missed executions (enum bpf_link_type), and
// where struct bpf_link_info has it.
const (
	linkPerfEvent      = 7
	linkKprobeMulti    = 8
	perfKprobe         = 3 // enum bpf_perf_event_type
	perfKretprobe      = 4
	missedKprobeMulti  = 32
	perfEventType      = 16
	missedPerfKprobe   = 48
	sizeOfLinkInfo     = 64
	linkInfoProgram    = 8
	linkInfoCommonType = 0
)

// LinkMissed reads which program a link runs and what it says that it missed:
// 0 for links that have no such number and before Linux 6.7.
func LinkMissed(id uint32) (program uint32, missed uint64, err error) {
	fd, err := byID(bpfLinkByID, id)
	if err != nil {
		return 0, 0, err
	}
	info := new([sizeOfLinkInfo / 8]uint64) // aligned
	var pin runtime.Pinner
	pin.Pin(info)
	defer pin.Unpin()
	attr := struct {
		fd, length uint32
		info       uint64
	}{uint32(fd), sizeOfLinkInfo, uint64(uintptr(unsafe.Pointer(info)))}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfObjGetInfo, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if err := unix.Close(fd); errno != 0 || err != nil {
		return 0, 0, errors.Join(errno, err)
	}
	half := func(offset int) uint32 {
		return binary.NativeEndian.Uint32(unsafe.Slice((*byte)(unsafe.Pointer(info)), sizeOfLinkInfo)[offset:])
	}
	switch kind := half(linkInfoCommonType); {
	case kind == linkKprobeMulti && attr.length >= missedKprobeMulti+8:
		missed = info[missedKprobeMulti/8]
	case kind == linkPerfEvent && attr.length >= missedPerfKprobe+8 && (half(perfEventType) == perfKprobe || half(perfEventType) == perfKretprobe):
		missed = info[missedPerfKprobe/8]
	}
	return half(linkInfoProgram), missed, nil
}
