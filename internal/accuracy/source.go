package accuracy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/internal/filelock"
)

// release is the Debian release the sources come from. Its upstream tarballs
// do not change after the release, so their hashes can be pinned.
const release = "bookworm"

// source is the upstream tarball of one Debian source package, pinned.
type source struct {
	Package string // Debian source package
	Version string // upstream version
	Tarball string // file name in the archive
	SHA256  string
	Root    string // the directory the tarball unpacks to
}

// missingError says what the machine lacks.
type missingError struct{ what, remedy string }

func (e *missingError) Error() string { return e.what + "; " + e.remedy }

// fetch gives the unpacked source tree, downloading it once.
func (s source) fetch(ctx context.Context, c store) (string, error) {
	tree := c.path("src", s.SHA256[:16], s.Root)
	unlock, err := filelock.Lock(c.path("src", s.SHA256[:16]+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(tree, ".unpacked")); err == nil {
		return tree, nil
	}
	tarball := c.path("src", s.Tarball)
	if !s.verified(tarball) {
		if err := s.download(ctx, c); err != nil {
			return "", fmt.Errorf("source package %s: %w", s.Package, err)
		}
		if !s.verified(tarball) {
			return "", fmt.Errorf("source package %s: %s is not the pinned file (sha256 %s)", s.Package, s.Tarball, s.SHA256)
		}
	}
	if err := os.MkdirAll(filepath.Dir(tree), 0o755); err != nil {
		return "", err
	}
	unpack := []string{"tar", "-C", filepath.Dir(tree), "-xf", tarball}
	if s.binary() {
		unpack = []string{"dpkg-deb", "-x", tarball, c.path("src", s.SHA256[:16])}
	}
	if _, err := run(ctx, "", unpack[0], unpack[1:]...); err != nil {
		return "", err
	}
	return tree, writeFile(filepath.Join(tree, ".unpacked"), nil)
}

// binary tells a binary package: Debian's crates are libraries in source form.
func (s source) binary() bool { return strings.HasSuffix(s.Tarball, ".deb") }

// verified tells whether the file exists and is the pinned one.
func (s source) verified(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == s.SHA256
}

// download asks apt for the source package, with lists and cache of its own:
// the machine's configuration has no deb-src and stays as it is.
func (s source) download(ctx context.Context, c store) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return &missingError{"no apt-get on this machine", "put " + s.Tarball + " into " + c.path("src")}
	}
	apt := c.path("apt")
	unlock, err := filelock.Lock(apt + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	for _, d := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(apt, d), 0o755); err != nil {
			return err
		}
	}
	list := filepath.Join(apt, "sources.list")
	line := "deb-src http://deb.debian.org/debian " + release + " main\ndeb http://deb.debian.org/debian " + release + " main\n"
	if err := writeFile(list, []byte(line)); err != nil {
		return err
	}
	opts := []string{
		"-q", "-o", "Dir::Etc::sourcelist=" + list, "-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::State=" + filepath.Join(apt, "state"), "-o", "Dir::Cache=" + filepath.Join(apt, "cache"),
		"-o", "Dir::State::status=/dev/null", "-o", "APT::Sandbox::User=root",
	}
	if err := os.MkdirAll(c.path("src"), 0o755); err != nil {
		return err
	}
	if _, err := run(ctx, apt, "apt-get", append(opts, "update")...); err != nil {
		return &missingError{"apt cannot reach the Debian archive: " + lastLine(err), "put " + s.Tarball + " into " + c.path("src")}
	}
	args := []string{"source", "--download-only", s.Package}
	if s.binary() {
		args = []string{"download", s.Package}
	}
	_, err = run(ctx, c.path("src"), "apt-get", append(opts, args...)...)
	return err
}

// lastLine is the last line of what a failed command wrote.
func lastLine(err error) string {
	var ce *commandError
	if !errors.As(err, &ce) {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(ce.output), "\n")
	return lines[len(lines)-1]
}
