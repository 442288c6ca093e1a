//go:build linux && (amd64 || arm64)

package nesting

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"github.com/surehook/surehook/hook"
)

// setName names the thread, which is what the tracepoint task:task_rename tells.
func setName(name *[16]byte) syscall.Errno {
	_, _, no := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0)
	return no
}

// TargetHook is a uprobe at Target in this program.
func TargetHook() (hook.Hook, error) {
	const self = "/proc/self/exe"
	entry := runtime.FuncForPC(reflect.ValueOf(Target).Pointer()).Entry()
	f, err := elf.Open(self)
	if err != nil {
		return hook.Hook{}, err
	}
	defer f.Close()
	bias, err := loadedAt(f)
	if err != nil {
		return hook.Hook{}, err
	}
	at := uint64(entry) - bias
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && at >= p.Vaddr && at-p.Vaddr < p.Filesz {
			return hook.Hook{Kind: hook.Uprobe, Target: self, Address: at - p.Vaddr + p.Off, HasAddress: true}, nil
		}
	}
	return hook.Hook{}, fmt.Errorf("%s: no code at %#x", self, at)
}

// loadedAt is what was added to the addresses in the file.
func loadedAt(f *elf.File) (uint64, error) {
	if f.Type != elf.ET_DYN {
		return 0, nil
	}
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		var low, high uint64
		if len(fields) == 6 && fields[5] == path {
			if _, err := fmt.Sscanf(fields[0], "%x-%x", &low, &high); err != nil {
				return 0, err
			}
			return low, nil // the first segment begins at 0 in the file
		}
	}
	return 0, errors.New("/proc/self/maps: this program is not in it")
}
