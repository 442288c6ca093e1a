//go:build linux

package opener

import "syscall"

const (
	sysExecveat = 281
	sysTruncate = syscall.SYS_TRUNCATE
)

// older are the calls that this architecture does not have.
func older(int) (call, bool) { return call{}, false }
