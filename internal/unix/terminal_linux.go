package unix

import (
	"os"

	"golang.org/x/sys/unix"
)

// KeyByKey lets a terminal hand over keys as they are typed and not show
// them; Ctrl-C still interrupts. restore undoes it.
func KeyByKey(f *os.File) (restore func() error, err error) {
	fd := int(f.Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, os.NewSyscallError("tcgets", err)
	}
	raw := *old
	raw.Lflag &^= unix.ICANON | unix.ECHO
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return nil, os.NewSyscallError("tcsets", err)
	}
	return func() error { return os.NewSyscallError("tcsets", unix.IoctlSetTermios(fd, unix.TCSETS, old)) }, nil
}

// TerminalSize is the size of a terminal in characters.
func TerminalSize(f *os.File) (rows, columns int, err error) {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, os.NewSyscallError("tiocgwinsz", err)
	}
	return int(w.Row), int(w.Col), nil
}
