package fieldtruth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/internal/vmtest"
)

// Suite is a release of Debian whose libbpf-tools are looked at.
type Suite struct {
	Name string
	Arch string // amd64, arm64
}

// Suites are those that are looked at: a stable release's and newer ones.
func Suites() []Suite {
	return []Suite{{"bookworm", "amd64"}, {"trixie", "amd64"}, {"sid", "amd64"}, {"trixie", "arm64"}}
}

// Package is the package of the tools.
const Package = "libbpf-tools"

// Tool is one executable.
type Tool struct {
	Suite   Suite
	Name    string
	Path    string
	File    *bpfobj.File
	Objects [][]byte // those that it carries, in their order
}

// Tools fetches and reads the tools of a suite; links to others are left out.
func Tools(ctx context.Context, s Suite) ([]Tool, error) {
	cache, err := vmtest.CacheDir()
	if err != nil {
		return nil, err
	}
	dir, err := vmtest.Package{Arch: s.Arch, Suite: s.Name, Name: Package}.Fetch(ctx, cache)
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "usr/sbin", "*"))
	if err != nil {
		return nil, err
	}
	var out []Tool
	for _, name := range names {
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		t, err := readTool(s, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no tools in it", dir)
	}
	return out, nil
}

func readTool(s Suite, name string) (t Tool, err error) {
	r, err := os.Open(name)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	info, err := r.Stat()
	if err != nil {
		return t, err
	}
	t = Tool{Suite: s, Name: filepath.Base(name), Path: name}
	if t.File, err = bpfobj.ReadExecutable(r, info.Size(), name); err != nil {
		return t, err
	}
	parts, err := bpfobj.Embedded(r, info.Size())
	if err != nil {
		return t, err
	}
	for _, p := range parts {
		data, err := io.ReadAll(p)
		if err != nil {
			return t, err
		}
		t.Objects = append(t.Objects, data)
	}
	return t, nil
}
