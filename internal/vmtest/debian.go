package vmtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Package is a binary package of the Debian archive.
type Package struct {
	Arch  string // amd64, arm64
	Suite string // bookworm, bookworm-backports, trixie ...
	Name  string
}

// CacheDir is where packages are kept by default: the kernels of all tests of a
// user, $XDG_CACHE_HOME/surehook/vm or ~/.cache/surehook/vm.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "surehook", "vm"), err
}

// mirror is where packages come from; apt checks the signatures.
const mirror = "http://deb.debian.org/debian"

// keyring verifies all suites, those of other releases than this machine's too.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

func (p Package) dir(cache string) string {
	return filepath.Join(cache, p.Suite+"-"+p.Arch+"-"+p.Name)
}

// Cached tells whether Fetch needs no network.
func (p Package) Cached(cache string) bool {
	_, err := os.Stat(p.dir(cache))
	return err == nil
}

// Fetch unpacks the package below the cache directory and gives the directory
// it lies in. What is there stays: remove it to get a newer version.
func (p Package) Fetch(ctx context.Context, cache string) (string, error) {
	cache, err := filepath.Abs(cache)
	if err != nil {
		return "", err
	}
	dir := p.dir(cache)
	if p.Cached(cache) {
		return dir, nil
	}
	tmp := filepath.Join(cache, fmt.Sprintf(".%s-%d", filepath.Base(dir), os.Getpid()))
	defer os.RemoveAll(tmp)
	apt, err := newApt(ctx, filepath.Join(tmp, "apt"), p)
	if err != nil {
		return "", err
	}
	name, err := apt.real(ctx, p.Name)
	if err != nil {
		return "", err
	}
	if _, err := apt.run(ctx, "apt-get", "download", name+"/"+p.Suite); err != nil {
		return "", err
	}
	debs, err := filepath.Glob(filepath.Join(apt.dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("apt-get download %s left %d packages: %w", name, len(debs), err)
	}
	root := filepath.Join(tmp, "root")
	if _, err := apt.run(ctx, "dpkg-deb", "-x", debs[0], root); err != nil {
		return "", err
	}
	if err := os.Rename(root, dir); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

// Image fetches a kernel package (or one that depends on it, like
// linux-image-cloud-arm64) and gives its bootable image.
func (p Package) Image(ctx context.Context, cache string) (string, error) {
	dir, err := p.Fetch(ctx, cache)
	if err != nil {
		return "", err
	}
	images, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return "", fmt.Errorf("%s: %d kernels in /boot; remove that directory", dir, len(images))
	}
	return images[0], nil
}

// apt is Debian's package manager with lists and configuration of its own.
type apt struct {
	dir  string
	opts []string
}

func newApt(ctx context.Context, dir string, p Package) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("%w: no apt-get to fetch %s", ErrMissing, p.Name)
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	signed := ""
	if _, err := os.Stat(keyring); err == nil {
		signed = "[signed-by=" + keyring + "] "
	}
	list := filepath.Join(dir, "sources.list")
	if err := os.WriteFile(list, []byte("deb "+signed+mirror+" "+p.Suite+" main\n"), 0o644); err != nil {
		return nil, err
	}
	a := &apt{dir: dir}
	for _, o := range []string{
		"Dir::Etc::sourcelist=" + list, "Dir::Etc::sourceparts=/dev/null", "Dir::State=" + filepath.Join(dir, "state"),
		"Dir::Cache=" + filepath.Join(dir, "cache"), "Dir::State::status=/dev/null", "APT::Sandbox::User=root",
		"APT::Architecture=" + p.Arch, "APT::Architectures=" + p.Arch, "Acquire::Languages=none",
	} {
		a.opts = append(a.opts, "-o", o)
	}
	if _, err := a.run(ctx, "apt-get", "update"); err != nil {
		return nil, fmt.Errorf("%w: %s of %s is not in the cache and the archive cannot be reached: %w", ErrMissing, p.Name, p.Suite, err)
	}
	return a, nil
}

// depends is a line of apt-cache depends.
var depends = regexp.MustCompile(`(?m)^\s*Depends: (linux-image-\S+)$`)

// real is the package that holds the files: for one that only depends on the
// newest kernel, that kernel.
func (a *apt) real(ctx context.Context, name string) (string, error) {
	out, err := a.run(ctx, "apt-cache", "depends", name)
	if err != nil {
		return "", err
	}
	if m := depends.FindStringSubmatch(out); m != nil {
		return m[1], nil
	}
	return name, nil
}

func (a *apt) run(ctx context.Context, command string, args ...string) (string, error) {
	if strings.HasPrefix(command, "apt-") {
		args = append(append([]string{"-q"}, a.opts...), args...)
	}
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = a.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return string(out), nil
}
