//go:build linux

package opener

import "syscall"

const (
	sysExecveat = 322
	sysTruncate = syscall.SYS_TRUNCATE
)

// older are the calls that newer architectures do not have.
func older(number int) (call, bool) {
	switch number {
	case syscall.SYS_OPEN:
		return call{path: 0, flags: 1}, true
	case syscall.SYS_CREAT:
		return call{write: true}, true
	}
	return call{}, false
}
