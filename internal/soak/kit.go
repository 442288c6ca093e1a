//go:build linux && (amd64 || arm64)

package soak

import (
	_ "embed" // the sources
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

var (
	//go:embed src/lib.c
	libSource []byte
	//go:embed src/caller.c
	callerSource []byte
)

// Kit makes the programs of a test in a directory.
type Kit struct {
	Dir    string
	Caller string // the program that calls a library

	cc   string // empty: everything is there
	mu   sync.Mutex
	made map[string]string
}

// NewKit compiles the caller. It needs gcc.
func NewKit(dir string) (*Kit, error) { return CrossKit(dir, "gcc") }

// CrossKit makes a Kit with another compiler.
func CrossKit(dir, cc string) (*Kit, error) {
	k := OpenKit(dir)
	k.cc = cc
	return k, k.compile(callerSource, "caller.c", "-O2", "-o", k.Caller)
}

// OpenKit takes what another Kit has made in the directory: where no compiler is.
func OpenKit(dir string) *Kit {
	return &Kit{Dir: dir, Caller: filepath.Join(dir, "caller"), made: map[string]string{}}
}

// Versions is how many versions of a library there can be.
const Versions = 2800

// Number is what the functions of a version say they are: of a size that the
// compiler makes the same code of, an immediate of 12 bits on arm64.
func Number(version int) int { return 1000 + version }

// Layouts is how many layouts there are; in each the functions are elsewhere.
const Layouts = 4

// Library gives a library of that version, 1 to Versions, in that layout. Those of
// one layout differ in nothing but the numbers that the functions add.
func (k *Kit) Library(layout, version int) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	layout %= Layouts
	name := fmt.Sprintf("lib-%d-%d.so", layout, version)
	if path := k.made[name]; path != "" {
		return path, nil
	}
	path := filepath.Join(k.Dir, name)
	if k.cc == "" {
		_, err := os.Stat(path)
		return path, err
	}
	pad := []int{16, 96, 448, 4112}[layout]
	// Without start files nothing in it is relocated: a program would not survive
	// that its library is truncated and written again, whoever looks on.
	err := k.compile(libSource, "lib.c", "-O2", "-g", "-shared", "-fPIC", "-nostartfiles", "-nostdlib", "-Wl,-z,norelro", "-fvisibility=hidden", "-o", path,
		fmt.Sprintf("-DV=%d", Number(version)), fmt.Sprintf(`-DPAD="%d"`, pad))
	if err != nil {
		return "", err
	}
	k.made[name] = path
	return path, nil
}

func (k *Kit) compile(source []byte, name string, args ...string) error {
	file := filepath.Join(k.Dir, name)
	if err := os.WriteFile(file, source, 0o644); err != nil {
		return err
	}
	out, err := exec.Command(k.cc, append(args, file)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", k.cc, name, err, out)
	}
	return nil
}
