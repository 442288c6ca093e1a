package vmtest

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// libraryDirs are where this machine keeps an architecture's libraries.
func libraryDirs(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64"}
	case "arm64":
		return []string{"/usr/aarch64-linux-gnu/lib", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}
	}
	return nil
}

// Libraries are the shared libraries that programs need, with the loader, for
// the machine's /lib. Libraries beside a program are the caller's. The error
// wraps ErrMissing where this machine lacks one.
func Libraries(arch string, programs ...string) ([]File, error) {
	seen := map[string]bool{}
	var files []File
	var visit func(file string) error
	add := func(name, at string, beside string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		if beside != "" {
			if _, err := os.Stat(filepath.Join(beside, name)); err == nil {
				return nil
			}
		}
		for _, dir := range libraryDirs(arch) {
			from := filepath.Join(dir, name)
			if _, err := os.Stat(from); err == nil {
				files = append(files, File{Name: at, From: from})
				return visit(from)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return fmt.Errorf("%w: no %s of %s; apt-get install libc6-dev-%s-cross or the package that has it", ErrMissing, name, arch, arch)
	}
	visit = func(file string) error {
		f, err := elf.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		for _, p := range f.Progs {
			if p.Type != elf.PT_INTERP {
				continue
			}
			loader := make([]byte, p.Filesz)
			if _, err := p.ReadAt(loader, 0); err != nil {
				return err
			}
			at := strings.TrimRight(string(loader), "\x00")
			if err := add(path.Base(at), at, ""); err != nil {
				return err
			}
		}
		needs, err := f.ImportedLibraries()
		if err != nil {
			return err
		}
		for _, n := range needs {
			beside := ""
			if slices.Contains(programs, file) {
				beside = filepath.Dir(file)
			}
			if err := add(n, path.Join("/lib", n), beside); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range programs {
		if err := visit(p); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
	}
	return files, nil
}
