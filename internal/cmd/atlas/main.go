// Command atlas builds the atlas of Debian's kernels that comes with surehook:
// it fetches the packages, takes a snapshot of each kernel and puts them
// together. The same packages give the same bytes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/internal/kernelfiles"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/image"
)

func main() {
	out := flag.String("out", "atlas/debian/debian.atlas", "the `FILE` to write")
	cache := flag.String("cache", "", "keep packages and snapshots in `DIR`; default: ~/.cache/surehook/vm")
	flag.Parse()
	if err := run(context.Background(), *out, *cache); err != nil {
		fmt.Fprintln(os.Stderr, "atlas:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, cache string) error {
	if cache == "" {
		var err error
		if cache, err = vmtest.CacheDir(); err != nil {
			return err
		}
	}
	var list []*kernel.Snapshot
	var failed []error
	for _, k := range kernels() {
		s, err := snapshot(ctx, k, cache)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", k.Release, err))
			continue
		}
		fmt.Printf("%s: %d functions\n", s.ID.Name, len(s.Functions))
		list = append(list, s)
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := errors.Join(atlas.Write(f, list), f.Close()); err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d kernels, %.1f MB\n", out, len(list), float64(info.Size())/1e6)
	return nil
}

// snapshot reads a kernel, or the snapshot that an earlier run kept.
func snapshot(ctx context.Context, k source, cache string) (*kernel.Snapshot, error) {
	kept := filepath.Join(cache, "debian-"+k.Release+".atlas")
	if s, err := keptSnapshot(kept); err == nil {
		return s, nil
	}
	s, err := read(ctx, k, cache)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(kept)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(atlas.Write(f, []*kernel.Snapshot{s}), f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(kept))
	}
	return keptSnapshot(kept)
}

func keptSnapshot(path string) (*kernel.Snapshot, error) {
	a, err := atlas.Open(path)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if len(a.Entries()) != 1 {
		return nil, fmt.Errorf("%s: %d kernels", path, len(a.Entries()))
	}
	s, err := a.Entries()[0].Snapshot()
	failing := func(c kernel.Call) bool { return c.Made == kernel.UnlessFails }
	if err == nil && (s.Missing(kernel.CertainCalls) != "" || !slices.ContainsFunc(s.Edges, failing)) {
		return nil, fmt.Errorf("%s is of an earlier version", path)
	}
	return s, err
}

// read fetches a kernel's packages and reads them.
func read(ctx context.Context, k source, cache string) (*kernel.Snapshot, error) {
	packages, err := k.Fetch(ctx, cache)
	if err != nil {
		return nil, err
	}
	paths := []string{packages.Path}
	if k.debug {
		vmlinux, err := k.Vmlinux(ctx, cache)
		if err != nil {
			return nil, err
		}
		paths[0] = vmlinux
	}
	if packages.Config != "" {
		paths = append(paths, packages.Config)
	}
	if dir := packages.ModuleDir(); dir != "" {
		paths = append(paths, dir)
	}
	s, err := kernelfiles.Read(ctx, image.Options{Name: "debian-" + k.Release}, paths...)
	if err != nil {
		return nil, err
	}
	slim(s)
	s.ID.Source, s.ID.Package = "Debian's packages", "linux-image-"+k.Release
	return s, nil
}
