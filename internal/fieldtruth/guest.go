package fieldtruth

import (
	"context"
	_ "embed" // the source of the guest
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/surehook/surehook/internal/vmtest"
)

//go:embed guest/loadone.c
var loadoneSource []byte

// librariesSuite is the release whose libbpf loads the programs: its static
// library needs nothing that this machine's C library has not.
const librariesSuite = "bookworm"

// BuildLoader builds the program that loads others, for an architecture, with
// Debian's static libbpf. It is what the tools themselves are linked with.
func BuildLoader(ctx context.Context, arch, dir string) (string, error) {
	cc, triple := "gcc", "x86_64-linux-gnu"
	if arch == "arm64" {
		cc, triple = "aarch64-linux-gnu-gcc", "aarch64-linux-gnu"
	}
	cache, err := vmtest.CacheDir()
	if err != nil {
		return "", err
	}
	in, out := filepath.Join(dir, "loadone.c"), filepath.Join(dir, "loadone-"+arch)
	if err := os.WriteFile(in, loadoneSource, 0o600); err != nil {
		return "", err
	}
	args := []string{"-O2", "-Wall", "-static", "-o", out, in}
	var libraries []string
	for _, p := range []struct{ name, library string }{{"libbpf-dev", "libbpf.a"}, {"libelf-dev", "libelf.a"}, {"zlib1g-dev", "libz.a"}} {
		root, err := vmtest.Package{Arch: arch, Suite: librariesSuite, Name: p.name}.Fetch(ctx, cache)
		if err != nil {
			return "", err
		}
		args = append(args, "-I"+filepath.Join(root, "usr/include"))
		libraries = append(libraries, filepath.Join(root, "usr/lib", triple, p.library))
	}
	if text, err := exec.CommandContext(ctx, cc, append(args, libraries...)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", cc, err, text)
	}
	return out, nil
}
