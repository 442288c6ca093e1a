// Package kernelfiles opens the files of a kernel for package image, which
// opens none and starts no programs.
package kernelfiles

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/image"
)

// Read reads the files of one kernel; of a directory, the modules below it.
func Read(ctx context.Context, opts image.Options, paths ...string) (*kernel.Snapshot, error) {
	opts.Decompress, opts.Scratch = Decompress, scratch
	var inputs []image.Input
	for _, p := range paths {
		files := []string{p}
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			if files, err = modules(p); err != nil {
				return nil, err
			}
		}
		for _, name := range files {
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return nil, err
			}
			inputs = append(inputs, image.Input{Name: name, File: f, Size: info.Size()})
		}
	}
	return image.Read(ctx, opts, inputs...)
}

// modules lists the modules below a directory.
func modules(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base, _, _ := strings.Cut(filepath.Base(path), ".ko")
		if rest := strings.TrimPrefix(filepath.Base(path), base); d.Type().IsRegular() && strings.HasPrefix(rest, ".ko") {
			out = append(out, path)
		}
		return nil
	})
	return out, err
}

// scratch is a file that nobody else sees, gone when it is closed.
func scratch() (image.Scratch, error) {
	f, err := os.CreateTemp("", "surehook-kernel-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// closer is a stream from a program.
type closer struct {
	io.Reader
	close func() error
}

func (c closer) Close() error { return c.close() }
