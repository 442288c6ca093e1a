package vmtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/surehook/surehook/internal/filelock"
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

// Fetch unpacks the package below the cache directory, once for all processes,
// and gives the directory it lies in. What is there stays: remove it to get a
// newer version.
func (p Package) Fetch(ctx context.Context, cache string) (string, error) {
	cache, err := filepath.Abs(cache)
	if err != nil {
		return "", err
	}
	dir := p.dir(cache)
	return dir, fill(dir, func(tmp, root string) error {
		apt, err := newApt(ctx, filepath.Join(tmp, "apt"), p.Arch, p.Suite)
		if err != nil {
			return fmt.Errorf("%s of %s is not in the cache: %w", p.Name, p.Suite, err)
		}
		name, err := apt.real(ctx, p.Name)
		if err != nil {
			return err
		}
		return apt.unpack(ctx, root, name)
	})
}

// fill makes a directory of the cache if it is not there: whole, or not at
// all. One process does it, others wait. tmp is for anything, root becomes dir.
func fill(dir string, do func(tmp, root string) error) error {
	unlock, err := filelock.Lock(dir + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	tmp := dir + ".part"
	defer os.RemoveAll(tmp)
	if err := os.RemoveAll(tmp); err != nil { // of one that was killed
		return err
	}
	root := filepath.Join(tmp, "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := do(tmp, root); err != nil {
		return err
	}
	return os.Rename(root, dir)
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

// apt is Debian's package manager with lists and configuration of its own, for
// one suite.
type apt struct {
	suite string
	dir   string
	opts  []string
}

func newApt(ctx context.Context, dir, arch, suite string) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("%w: no apt-get to fetch packages with; use a Debian machine", ErrMissing)
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
	if err := os.WriteFile(list, []byte("deb "+signed+mirror+" "+suite+" main\n"), 0o644); err != nil {
		return nil, err
	}
	a := &apt{dir: dir, suite: suite}
	for _, o := range []string{
		"Dir::Etc::sourcelist=" + list, "Dir::Etc::sourceparts=/dev/null", "Dir::State=" + filepath.Join(dir, "state"),
		"Dir::Cache=" + filepath.Join(dir, "cache"), "Dir::State::status=/dev/null", "APT::Sandbox::User=root",
		"APT::Architecture=" + arch, "APT::Architectures=" + arch, "Acquire::Languages=none",
		"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false", "Acquire::Retries=3",
	} {
		a.opts = append(a.opts, "-o", o)
	}
	if _, err := a.run(ctx, "apt-get", "update"); err != nil {
		return nil, fmt.Errorf("%w: the archive cannot be reached: %w", ErrMissing, err)
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

// unpack downloads packages, which checks their signatures' sums, and unpacks
// them all into root.
func (a *apt) unpack(ctx context.Context, root string, names ...string) error {
	args := []string{"download"}
	for _, n := range names {
		args = append(args, n+"/"+a.suite)
	}
	if _, err := a.run(ctx, "apt-get", args...); err != nil {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	debs, err := filepath.Glob(filepath.Join(a.dir, "*.deb"))
	if err != nil || len(debs) != len(names) {
		return fmt.Errorf("apt-get download %s left %d packages", strings.Join(names, " "), len(debs))
	}
	for _, deb := range debs {
		if _, err := a.run(ctx, "dpkg-deb", "-x", deb, root); err != nil {
			return err
		}
	}
	return nil
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
