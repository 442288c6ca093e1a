package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/surehook/surehook/internal/unix"
)

// Changed tells when the content of a file has become another, until the
// context ends: then the channel is closed. Its directory is watched, so that
// files that are put in its place are seen, and links that lead to it there, as
// Kubernetes exchanges them.
func Changed(ctx context.Context, name string) (<-chan struct{}, error) {
	was, err := digest(name)
	if err != nil {
		return nil, err
	}
	in, err := unix.OpenInotify()
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err == nil {
		_, err = in.Add(dir, true)
		dir.Close()
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	empty := sha256.Sum256(nil)
	out := make(chan struct{}, 1)
	var waking sync.WaitGroup
	waking.Add(1)
	end := context.AfterFunc(ctx, func() { _ = in.Wake(); waking.Done() })
	go func() {
		defer close(out)
		defer func() {
			if end() {
				waking.Done()
			}
			waking.Wait()
			in.Close()
		}()
		buf := make([]byte, 4096)
		for {
			changes, err := in.Read(buf)
			if err != nil {
				return
			}
			// A file that is gone or half there is read again at its next change. One
			// that is empty at another's change has just been truncated to be written.
			now, err := digest(name)
			if err != nil || now == was || now == empty && !complete(changes, filepath.Base(name)) {
				continue
			}
			was = now
			select {
			case out <- struct{}{}:
			default: // it is told already
			}
		}
	}()
	return out, nil
}

// complete tells whether a file was closed after writing, or put in its place.
func complete(changes []unix.Change, name string) bool {
	return slices.ContainsFunc(changes, func(c unix.Change) bool { return c.Name == name && (c.Written || c.Arrived) })
}

func digest(name string) ([sha256.Size]byte, error) {
	data, err := os.ReadFile(name)
	return sha256.Sum256(data), err
}
