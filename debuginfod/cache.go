package debuginfod

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/surehook/surehook/elfbin"
)

// slot is the place of one file in the cache: DIR/BUILDID/debuginfo. A file
// appears there whole, by being renamed. An empty one says that no server had
// the file when it was made.
type slot struct {
	id   string
	path string
}

// openSlot makes the directory of a build id.
func openSlot(dir, id string) (*slot, error) {
	if dir == "" {
		return nil, errors.New("no place for files from debuginfod: set HOME, XDG_CACHE_HOME or DEBUGINFOD_CACHE_PATH")
	}
	s := &slot{id: id, path: filepath.Join(dir, id, "debuginfo")}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, fmt.Errorf("the cache of debuginfod: %w (DEBUGINFOD_CACHE_PATH names another)", err)
	}
	return s, nil
}

// cached tells whether the file is there. That no server had it a while ago
// is an error. What is there and is not the file, as a torn copy, is none: it
// will be replaced.
func (s *slot) cached() (bool, error) {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s is not a file: remove it", s.path)
	case info.Size() > 0:
		return verify(s.path, s.id) == nil, nil
	case time.Since(info.ModTime()) < missTime:
		return false, &missError{s.path}
	}
	return false, nil
}

// store puts what r gives into the slot if it is the file, at most limit bytes.
func (s *slot) store(r io.Reader, limit int64) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(s.path), "debuginfo.*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	n, err := io.Copy(tmp, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%w: %d bytes allowed (DEBUGINFOD_MAXSIZE)", ErrTooLarge, limit)
	}
	if err == nil {
		err = tmp.Chmod(0o400) // as elfutils does: nobody writes to it by accident
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := verify(tmp.Name(), s.id); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), s.path)
}

// miss notes that no server has the file, unless another process has just
// put it there.
func (s *slot) miss() error {
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if info, err := os.Stat(s.path); err != nil || info.Size() > 0 {
			return err
		}
		now := time.Now()
		return os.Chtimes(s.path, now, now)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// verify tells whether a file is the one of a build id.
func verify(path, id string) error {
	f, err := elfbin.Open(path)
	if err != nil {
		var bad *elfbin.FormatError
		if errors.As(err, &bad) {
			// The path is one that nobody will find.
			return fmt.Errorf("what it sent: %s at file offset %#x: %w", bad.Section, bad.Offset, bad.Err)
		}
		return err
	}
	defer f.Close()
	if got := f.BuildID(); got != id {
		return fmt.Errorf("%w: %q", ErrWrongID, got)
	}
	return nil
}
