package accuracy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/surehook/surehook/internal/filelock"
)

// store is the cache: files under names made of a hash of their inputs.
type store struct{ dir string }

// newStore makes the cache directory: $XDG_CACHE_HOME/surehook/accuracy, or
// .cache/accuracy in the working directory, which git ignores.
func newStore(dir string) (store, error) {
	if dir == "" {
		if x := os.Getenv("XDG_CACHE_HOME"); x != "" {
			dir = filepath.Join(x, "surehook", "accuracy")
		} else {
			dir = filepath.Join(".cache", "accuracy")
		}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return store{}, err
	}
	return store{abs}, os.MkdirAll(abs, 0o755)
}

// path is a file or directory of the cache.
func (s store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// keyOf hashes whatever JSON can write. 16 digits: directory names of one
// length, so that no path length differs between two builds of a program.
func keyOf(inputs ...any) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, in := range inputs {
		if err := enc.Encode(in); err != nil {
			// Only called with plain data; a distinct key merely misses the cache.
			fmt.Fprintf(h, "%v", in)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// memo gives the value stored under kind and key, or makes and stores it. Who
// asks for the same value meanwhile waits for it.
func memo[T any](s store, kind, key string, produce func() (T, error)) (T, error) {
	var v T
	file := s.path(kind, key+".json")
	unlock, err := filelock.Lock(file + ".lock")
	if err != nil {
		return v, err
	}
	defer unlock()
	data, err := os.ReadFile(file)
	if err == nil {
		if err := json.Unmarshal(data, &v); err == nil {
			return v, nil
		}
		// A truncated file of an interrupted run: made again.
	} else if !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	v, err = produce()
	if err != nil {
		return v, err
	}
	if data, err = json.Marshal(v); err != nil {
		return v, err
	}
	return v, writeFile(file, data)
}

// writeFile writes a file whole or not at all: an interrupted run must not
// leave half an input for the next.
func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := firstError(err, f.Chmod(0o644), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}
