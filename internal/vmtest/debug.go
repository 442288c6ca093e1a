package vmtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Vmlinux fetches the kernel's file with debug information, 300 to 600 MB,
// below the cache directory. The error wraps ErrMissing when the archive does
// not have it: only releases of the newest series keep their -dbg packages.
func (k Kernel) Vmlinux(ctx context.Context, cache string) (string, error) {
	cache, err := filepath.Abs(cache)
	if err != nil {
		return "", err
	}
	dir := k.dir(cache) + "-dbg"
	err = fill(dir, func(tmp, root string) error {
		apt, err := newApt(ctx, filepath.Join(tmp, "apt"), k.Arch, k.Suite)
		if err != nil {
			return fmt.Errorf("kernel %s: %w", k.Release, err)
		}
		unpacked := filepath.Join(tmp, "unpacked")
		if err := apt.unpack(ctx, unpacked, "linux-image-"+k.Release+"-dbg"); err != nil {
			return err
		}
		for _, place := range []string{"usr/lib/debug/boot/vmlinux-" + k.Release, "usr/lib/debug/lib/modules/" + k.Release + "/vmlinux"} {
			if info, err := os.Lstat(filepath.Join(unpacked, place)); err == nil && info.Mode().IsRegular() {
				return os.Rename(filepath.Join(unpacked, place), filepath.Join(root, "vmlinux"))
			}
		}
		return fmt.Errorf("the package of %s holds no vmlinux", k.Release)
	})
	return filepath.Join(dir, "vmlinux"), err
}
