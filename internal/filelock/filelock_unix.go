//go:build unix

package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Lock waits for the lock of that name, a file that it makes and that stays.
// The kernel gives it up when the process ends, however it ends.
func Lock(name string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(&os.PathError{Op: "lock", Path: name, Err: err}, f.Close())
	}
	return func() { f.Close() }, nil // closing unlocks
}
