package audit

import (
	"os"

	"github.com/surehook/surehook/internal/unix"
)

func readMounts() ([]unix.Mount, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return unix.ParseMounts(string(text)), nil
}

// mountOf gives the mount point of a file, "" where that is the root directory:
// nobody unmounts it.
func (a *auditor) mountOf(f *file) string {
	for _, m := range a.mounts {
		if m.ID == f.info.Mount && m.ID != 0 && m.Point != "/" {
			return m.Point
		}
	}
	return ""
}
