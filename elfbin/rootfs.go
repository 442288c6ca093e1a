package elfbin

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// maxInMemory bounds a file of a file system that has no random access and
// so must be read whole.
const maxInMemory = 256 << 20

// fsPath makes of an absolute path a name within an fs.FS.
func fsPath(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "."
	}
	return p
}

// openIn opens the ELF file at an absolute path within root.
func openIn(root fs.FS, p string) (*File, error) {
	// Stat first: opening a named pipe would wait for its writer.
	info, err := fs.Stat(root, fsPath(p))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", p)
	}
	file, err := root.Open(fsPath(p))
	if err != nil {
		return nil, err
	}
	f, err := fromFS(file, p)
	if err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

func fromFS(file fs.File, p string) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	r, ok := file.(io.ReaderAt)
	size := info.Size()
	if !ok {
		b, err := io.ReadAll(io.LimitReader(file, maxInMemory+1))
		if err != nil {
			return nil, err
		}
		if len(b) > maxInMemory {
			return nil, fmt.Errorf("%s has more than %d bytes in a file system without random access", p, maxInMemory)
		}
		r, size = bytes.NewReader(b), int64(len(b))
	}
	f, err := New(r, size, p)
	if err != nil {
		return nil, err
	}
	f.closer, f.modified = file, info.ModTime()
	return f, nil
}
