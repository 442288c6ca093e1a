package shipped

import (
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/internal/checklist"
	"github.com/surehook/surehook/report"
)

// suffixes are endings of files that check reads, whether they exist or not.
func suffixes() []string { return []string{".o", ".bt", ".yaml", ".yml"} }

// IsFile tells whether an argument names a file or directory to be read
// rather than a hook.
func IsFile(arg string) bool {
	if _, err := os.Stat(arg); err == nil {
		return true
	}
	for _, s := range suffixes() {
		if strings.HasSuffix(arg, s) && !strings.Contains(arg, ":") {
			return true
		}
	}
	return false
}

// Reasons why something in a directory is passed over.
const (
	noHooks    = "neither a BPF object, nor a program that holds one, nor a script or policy"
	aLink      = "a symbolic link, which is not followed"
	aChecklist = "a list of what is checked; give it alone, or by --config"
	aStore     = "the files of a version control system"
)

// NothingError says that a file or directory holds nothing that could be
// checked.
type NothingError struct{ Path, Reason string }

func (e *NothingError) Error() string { return e.Path + ": " + e.Reason }

// Contents are what was found in files and directories.
type Contents struct {
	Files  []*bpfobj.File
	Passed []report.Passed // what there is besides in directories
}

// Add reads a file, or those of a directory. What cannot be read is in the
// error; the rest is in the contents all the same.
func (c *Contents) Add(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return c.addDir(name)
	}
	f, why, err := readFile(name)
	if err == nil && f == nil {
		err = &NothingError{name, why + "; to check a probe on it write uprobe:FILE:FUNCTION"}
	}
	if err != nil {
		return err
	}
	c.Files = append(c.Files, f)
	return nil
}

// AddAll reads files and directories side by side; what it finds comes in their
// order. skip is told of those that cannot be read, or not all.
func (c *Contents) AddAll(names []string, skip func(name string, err error)) {
	found, failed := make([]Contents, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, name := range names {
		room <- struct{}{}
		all.Go(func() {
			failed[i] = found[i].Add(name)
			<-room
		})
	}
	all.Wait()
	for i, name := range names {
		c.Files, c.Passed = append(c.Files, found[i].Files...), append(c.Passed, found[i].Passed...)
		if failed[i] != nil {
			skip(name, failed[i])
		}
	}
}

// addDir reads what there is in a directory, and notes what it passes over.
func (c *Contents) addDir(name string) (failed error) {
	before := len(c.Files)
	pass := func(path, why string) { c.Passed = append(c.Passed, report.Passed{Dir: name, Path: path, Reason: why}) }
	// The slash makes WalkDir follow a link that was given.
	err := filepath.WalkDir(name+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
			return nil
		case d.IsDir() && slices.Contains(stores(), d.Name()) && path != filepath.Clean(name):
			pass(path, aStore)
			return filepath.SkipDir
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			pass(path, aLink)
			return nil
		case !d.Type().IsRegular():
			pass(path, "a socket, pipe or device")
			return nil
		}
		f, why, err := readFile(path)
		failed = errors.Join(failed, err)
		if f != nil {
			c.Files = append(c.Files, f)
		} else if err == nil {
			pass(path, why)
		}
		return nil
	})
	failed = errors.Join(failed, err)
	if len(c.Files) == before && failed == nil {
		failed = &NothingError{name, "nothing in it that hooks anything"}
	}
	return failed
}

// stores are directories of version control systems.
func stores() []string { return []string{".git", ".hg", ".svn", ".jj"} }

// readFile reads one file by what it begins with; nil for one that holds
// nothing to check, and why it does not.
func readFile(name string) (f *bpfobj.File, why string, err error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, "", err
	}
	head := make([]byte, 64)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	switch head = head[:n]; {
	case bpfobj.IsObject(head):
		f, err = bpfobj.Read(r, info.Size(), name)
		return f, "", err
	case strings.HasPrefix(string(head), elf.ELFMAG):
		f, err := bpfobj.ReadExecutable(r, info.Size(), name)
		if err != nil || len(f.Programs)+len(f.Skipped) == 0 {
			return nil, noHooks, err
		}
		return f, "", nil
	case checklist.Is(name):
		return nil, aChecklist, nil
	case isYAML(name):
		return readPolicy(r, info.Size(), name)
	case isScript(name, head):
		f, err = readScript(r, info.Size(), name)
		return f, "", err
	}
	return nil, noHooks, nil
}
