package indexcache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options of Open.
type Options struct {
	// Version names the program that computes the indexes. What another
	// version stored is not found.
	Version string
	// MaxBytes bounds the directory's size; 0: DefaultMaxBytes.
	MaxBytes int64
	// MaxAge is how long an index is kept that nobody asks for; 0: DefaultMaxAge.
	MaxAge time.Duration
	// Log is told what went wrong, and what is deleted; nil: nobody.
	Log func(format string, args ...any)
}

// The defaults: a kernel's index takes 30 MB, a browser's several hundred.
const (
	DefaultMaxBytes = 2 << 30
	DefaultMaxAge   = 30 * 24 * time.Hour
)

// Dir is a directory of indexes. Several processes may use one at a time.
type Dir struct {
	path string
	opts Options
}

// suffix ends the names of finished files; others are being written.
const (
	suffix    = ".idx"
	temporary = ".tmp-"
)

// Open gives the cache in the directory, which is made when something is
// stored. It touches nothing.
func Open(path string, opts Options) *Dir {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.MaxAge == 0 {
		opts.MaxAge = DefaultMaxAge
	}
	if opts.Log == nil {
		opts.Log = func(string, ...any) {}
	}
	return &Dir{path, opts}
}

// DefaultPath is surehook/index in the user's directory for caches
// ($XDG_CACHE_HOME, else ~/.cache). The error says why there is none.
func DefaultPath() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "surehook", "index"), nil
}

// Get gives what was stored under the key, with its size in bytes; nil if
// there is nothing that can be used. It is an io.Closer. A read of damaged
// bytes fails with ErrDamaged.
func (d *Dir) Get(key string) (io.ReaderAt, int64) {
	name, err := d.file(key)
	if err != nil {
		d.opts.Log("index cache: %v", err)
		return nil, 0
	}
	e, err := openEntry(name, key, d.opts.Version)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0
	case err != nil:
		d.opts.Log("index cache: %s is not used: %v", name, err)
		return nil, 0
	}
	// The time of the last use is what is pruned by. Without permission it
	// only looks older.
	now := time.Now()
	if err := os.Chtimes(name, now, now); err != nil {
		d.opts.Log("index cache: %v", err)
	}
	return e, e.size
}

// Put stores what write writes under the key. Without success nothing
// changes.
func (d *Dir) Put(key string, write func(io.Writer) error) {
	if err := d.put(key, write); err != nil {
		d.opts.Log("index cache: not stored: %v", err)
		return
	}
	d.prune(time.Now())
}

// Drop deletes what is stored under the key, because of err.
func (d *Dir) Drop(key string, err error) {
	d.opts.Log("index cache: %s is deleted: %v", key, err)
	if name, err := d.file(key); err == nil {
		os.Remove(name)
	}
}

func (d *Dir) put(key string, write func(io.Writer) error) (err error) {
	name, err := d.file(key)
	if err != nil {
		return err
	}
	// Nobody else's business: paths of sources are in it.
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.path, temporary+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := newWriter(f, key, d.opts.Version)
	if err := write(w); err != nil {
		return err
	}
	if err := w.close(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// file is the path of a key's file. Keys are plain file names. Each version
// has its own: two that are used in turns would overwrite each other's.
func (d *Dir) file(key string) (string, error) {
	if key == "" || len(key) > 200 || strings.HasPrefix(key, ".") || strings.ContainsAny(key, "/\\\x00") {
		return "", fmt.Errorf("%q cannot be a file's name", key)
	}
	return filepath.Join(d.path, fmt.Sprintf("%s-%08x%s", key, sum([]byte(d.opts.Version)), suffix)), nil
}
