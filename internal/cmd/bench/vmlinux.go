package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// packages matches Debian's cloud kernels of release 12 with debug information.
var packages = regexp.MustCompile(`(?m)^linux-image-6\.1\.0-\d+-cloud-amd64-dbg\b`)

// download gives the path of a kernel with debug information, some 590 MB.
func download(ctx context.Context, dir string) (string, error) {
	if dir == "" {
		dir = filepath.Join(".cache", "bench")
		if x := os.Getenv("XDG_CACHE_HOME"); x != "" {
			dir = filepath.Join(x, "surehook", "bench")
		}
	}
	if found := kernels(dir); len(found) > 0 {
		return found[len(found)-1], nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(name); err != nil {
			return "", fmt.Errorf("no %s on this machine; name a kernel with debug information: -vmlinux FILE", name)
		}
	}
	list, err := output(ctx, dir, "apt-cache", "search", "--names-only", "linux-image-6.1.0-.*-cloud-amd64-dbg")
	if err != nil {
		return "", err
	}
	names := packages.FindAllString(list, -1)
	if len(names) == 0 {
		return "", errors.New("apt offers no Debian 12 cloud kernel with debug information; apt-get update, or name one: -vmlinux FILE")
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	name := names[len(names)-1]
	fmt.Fprintf(os.Stderr, "bench: downloading %s (280 MB, once)\n", name)
	if _, err := output(ctx, dir, "apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name); err != nil {
		return "", err
	}
	return unpack(ctx, dir, name)
}

// unpack takes the kernel out of its package.
func unpack(ctx context.Context, dir, name string) (string, error) {
	debs, err := filepath.Glob(filepath.Join(dir, name+"_*.deb"))
	if err != nil || len(debs) == 0 {
		return "", fmt.Errorf("apt-get download left no package in %s", dir)
	}
	parts := filepath.Join(dir, "unpacked")
	script := `dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --strip-components=5 --wildcards './usr/lib/debug/boot/vmlinux-*'`
	if err := os.MkdirAll(parts, 0o755); err != nil {
		return "", err
	}
	if _, err := output(ctx, ".", "sh", "-c", script, debs[0], parts); err != nil {
		return "", err
	}
	for _, file := range kernels(parts) {
		if err := os.Rename(file, filepath.Join(dir, filepath.Base(file))); err != nil {
			return "", err
		}
	}
	os.Remove(debs[0])
	found := kernels(dir)
	if len(found) == 0 {
		return "", fmt.Errorf("no vmlinux in %s", debs[0])
	}
	return found[0], nil
}

func kernels(dir string) []string {
	found, err := filepath.Glob(filepath.Join(dir, "vmlinux-*"))
	if err != nil {
		return nil
	}
	return found
}

func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stderr = nil
	out, err := cmd.Output()
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(e.Stderr)))
	}
	return string(out), err
}
