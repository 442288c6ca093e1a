package shipped

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/bpfobj"
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

// errNothing says that a file holds nothing that could be checked.
var errNothing = errors.New("neither a BPF object, nor a program that holds one, nor a script of bpftrace; to check a probe on it write uprobe:FILE:FUNCTION")

// Read reads a file, or those of a directory. What cannot be read is in the
// error; the rest is in the result all the same.
func Read(name string) ([]*bpfobj.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return readDir(name)
	}
	f, err := readFile(name)
	if err == nil && f == nil {
		err = fmt.Errorf("%s: %w", name, errNothing)
	}
	if err != nil {
		return nil, err
	}
	return []*bpfobj.File{f}, nil
}

// readDir reads what there is in a directory; other files than those it knows
// are passed over.
func readDir(name string) (files []*bpfobj.File, failed error) {
	err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			failed = errors.Join(failed, err)
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		f, err := readFile(path)
		failed = errors.Join(failed, err)
		if f != nil {
			files = append(files, f)
		}
		return nil
	})
	failed = errors.Join(failed, err)
	if len(files) == 0 && failed == nil {
		failed = fmt.Errorf("%s: nothing in it that hooks anything", name)
	}
	return files, failed
}

// readFile reads one file by what it begins with; nil for one that holds
// nothing to check.
func readFile(name string) (*bpfobj.File, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, 64)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch head = head[:n]; {
	case bpfobj.IsObject(head):
		return bpfobj.Read(r, info.Size(), name)
	case strings.HasPrefix(string(head), elf.ELFMAG):
		f, err := bpfobj.ReadExecutable(r, info.Size(), name)
		if err != nil || len(f.Programs)+len(f.Skipped) == 0 {
			return nil, err
		}
		return f, nil
	case isScript(name, head):
		return readScript(r, info.Size(), name)
	}
	return nil, nil
}
