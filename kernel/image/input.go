package image

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"

	"github.com/surehook/surehook/elfbin"
)

// InputError says that a file cannot be taken.
type InputError struct {
	Path string
	Err  error
}

func (e *InputError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Causes of an InputError.
var (
	ErrNoKernel = errors.New("no kernel among the files: give a vmlinux")
	ErrTwo      = errors.New("a second kernel: snapshots are of one")
	ErrUnknown  = errors.New("not a file of a kernel that surehook reads: a vmlinux, a bootable image, a module, a Debian package or a configuration")
)

// files are the inputs by what they are.
type files struct {
	opts   *Options
	core   *source
	config map[string]string // nil without one

	packages []string // name and version
	debs     []*archive
	modules  []Input
	closers  []io.Closer
}

func (f *files) close() {
	if f.core != nil && f.core.elf != nil {
		f.core.elf.Close()
	}
	for _, c := range f.closers {
		c.Close()
	}
}

// sortInputs finds out what each input is.
func sortInputs(opts *Options, inputs []Input) (*files, error) {
	f := &files{opts: opts}
	for _, in := range inputs {
		if err := f.take(in); err != nil {
			f.close()
			return nil, err
		}
	}
	if f.core == nil {
		path := "(no file)"
		if len(inputs) > 0 {
			path = inputs[0].Name
		}
		return nil, &InputError{path, ErrNoKernel}
	}
	return f, nil
}

// headSize is what tells one kind of file from another.
const headSize = 64 << 10

func (f *files) take(in Input) error {
	head := make([]byte, min(headSize, max(0, in.Size)))
	n, err := in.File.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return f.takeELF(in)
	case bytes.HasPrefix(head, []byte(arMagic)):
		return f.takeDeb(in)
	case isConfig(head):
		return f.takeConfig(in)
	}
	if _, _, boot := bootPayload(head, in.Size); boot || formatOf(head) != "" {
		return f.takeBoot(in, head)
	}
	return &InputError{in.Name, ErrUnknown}
}

func (f *files) takeELF(in Input) error {
	file, err := elfbin.New(in.File, in.Size, in.Name)
	if err != nil {
		return err
	}
	if file.Type() == elf.ET_REL {
		f.modules = append(f.modules, in)
		return nil
	}
	core, err := elfSource(file)
	if err != nil {
		return err
	}
	return f.setCore(in.Name, core)
}

// setCore takes a kernel. Of two, the one that says more counts: a vmlinux with
// symbols and debug information beside the bootable image of the same build.
func (f *files) setCore(name string, s *source) error {
	old := f.core
	if old == nil {
		f.core = s
		return nil
	}
	if old.buildID != s.buildID || old.buildID == "" || old.rank() == s.rank() {
		return &InputError{name, ErrTwo}
	}
	if s.rank() > old.rank() {
		f.core = s
	}
	return nil
}

// rank says how much a source tells.
func (s *source) rank() int {
	switch {
	case s.elf == nil:
		return 0
	case s.elf.HasDWARF():
		return 2
	}
	return 1
}
