package elfbin

import (
	"errors"
	"fmt"
	"strings"
)

// Causes of a FormatError that a caller may want to tell apart.
var (
	ErrNotELF      = errors.New("not an ELF file")
	ErrUnsupported = errors.New("surehook reads 64-bit little-endian ELF files for x86-64 and arm64")
)

// NotFoundError says that a library or program is nowhere it is looked for.
type NotFoundError struct {
	Kind  string   // "library" or "program"
	Name  string   // as asked for
	Tried []string // paths and patterns that were looked at, in order
}

func (e *NotFoundError) Error() string {
	const shown = 6
	tried := e.Tried
	more := ""
	if len(tried) > shown {
		more = fmt.Sprintf(" and %d more", len(tried)-shown)
		tried = tried[:shown]
	}
	if len(tried) == 0 {
		return fmt.Sprintf("%s %q not found: give its path", e.Kind, e.Name)
	}
	return fmt.Sprintf("%s %q not found (looked at %s%s): give its path",
		e.Kind, e.Name, strings.Join(tried, ", "), more)
}

// bad makes a FormatError of this file.
func (f *File) bad(section string, offset uint64, format string, args ...any) error {
	return &FormatError{Path: f.path, Section: section, Offset: offset, Err: fmt.Errorf(format, args...)}
}
