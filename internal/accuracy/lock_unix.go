//go:build unix

package accuracy

import (
	"os"
	"path/filepath"
	"syscall"
)

// lockFile waits for the lock of that name.
func lockFile(name string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, firstError(&os.PathError{Op: "lock", Path: name, Err: err}, f.Close())
	}
	return func() { f.Close() }, nil // closing unlocks
}
