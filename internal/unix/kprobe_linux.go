package unix

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kprobePMU is where the kernel names its kprobe events. Requires at least
// Linux 4.17, commit e12f03d7031a ("perf/core: Implement the 'perf_kprobe' PMU").
const kprobePMU = "/sys/bus/event_source/devices/kprobe/"

// OpenKprobe makes a perf event of a kprobe at symbol+offset, or of a
// kretprobe, that does nothing yet. Without a symbol offset is the address. The error is the kernel's errno, or
// fs.ErrNotExist for a kernel without kprobe events.
func OpenKprobe(symbol string, offset uint64, ret bool) (fd int, err error) {
	kind, err := pmuNumber(kprobePMU + "type")
	if err != nil {
		return -1, err
	}
	var name *byte
	if symbol != "" {
		if name, err = unix.BytePtrFromString(symbol); err != nil {
			return -1, err
		}
	}
	attr := unix.PerfEventAttr{
		Type: uint32(kind), Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Ext1: uint64(uintptr(unsafe.Pointer(name))), Ext2: offset,
	}
	if ret {
		attr.Config = 1 // format/retprobe is config:0
	}
	fd, err = unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	runtime.KeepAlive(name)
	if err != nil {
		return -1, err
	}
	return fd, nil
}

func pmuNumber(path string) (int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// linkCreate is the part of union bpf_attr for BPF_LINK_CREATE on a perf event.
type linkCreate struct {
	prog, target, attachType, flags uint32
	cookie                          uint64
}

const (
	bpfLinkCreate = 28 // enum bpf_cmd
	bpfPerfEvent  = 41 // enum bpf_attach_type
)

// LinkPerfEvent links a BPF program to a perf event with a cookie. Requires at
// least Linux 5.15, commit 82e6b1eee6a8 ("bpf: Allow to specify user-provided bpf_cookie").
func LinkPerfEvent(prog, event int, cookie uint64) (fd int, err error) {
	attr := linkCreate{prog: uint32(prog), target: uint32(event), attachType: bpfPerfEvent, cookie: cookie}
	r, _, errno := unix.Syscall(unix.SYS_BPF, bpfLinkCreate, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// RunOnPerfEvent lets a perf event run a BPF program from now on, until the
// event is closed.
func RunOnPerfEvent(prog, event int) error {
	if err := unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_SET_BPF, prog); err != nil {
		return err
	}
	return unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_ENABLE, 0)
}

// EnablePerfEvent turns a perf event on.
func EnablePerfEvent(event int) error { return unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_ENABLE, 0) }

// CloseFD closes a file descriptor.
func CloseFD(fd int) error { return unix.Close(fd) }
