//go:build linux && (amd64 || arm64)

package attach

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// codeFile is a file of n instructions that any kernel probes. It is never
// run: uprobes need no ELF file.
func codeFile(t testing.TB, n int) (path string, width uint64) {
	t.Helper()
	insn := []byte{0x55} // push %rbp
	if runtime.GOARCH == "arm64" {
		insn = []byte{0x1f, 0x20, 0x03, 0xd5} // nop
	}
	path = filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(path, bytes.Repeat(insn, n), 0o755); err != nil {
		t.Fatal(err)
	}
	return path, uint64(len(insn))
}

func TestPrecheck(t *testing.T) {
	needsKernel(t)
	path, width := codeFile(t, 1024)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		path string
		off  uint64
		want error
		say  string
	}{
		{"good", path, 16 * width, nil, ""},
		{"last", path, 1023 * width, nil, ""},
		{"beyond", path, 1024 * width, &ProbeError{}, "beyond the end"},
		{"far beyond", path, 1 << 63, &ProbeError{}, "beyond the end"},
		{"header", path, 0, &ProbeError{}, "ELF header"},
		{"no file", path + "x", 16, fs.ErrNotExist, "code"},
		{"directory", filepath.Dir(path), 16, nil, "not a regular file"},
		{"named pipe", pipe, 16, nil, "not a regular file"},
		{"device", "/dev/null", 16, nil, "not a regular file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Open([]Plan{{Path: c.path, Probes: []Probe{{Offset: c.off}}}}, Options{})
			if err == nil {
				s.Close()
			}
			if c.say == "" {
				if err != nil {
					t.Errorf("Open: %v", err)
				}
				return
			}
			var pe *ProbeError
			if err == nil || !strings.Contains(err.Error(), c.say) {
				t.Fatalf("Open: %v, want %q", err, c.say)
			}
			if errors.As(c.want, &pe) != errors.As(err, &pe) || pe == nil && c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("Open: %#v", err)
			}
		})
	}
}

func TestHazard(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the 5-byte nop is of x86")
	}
	needsKernel(t)
	path := filepath.Join(t.TempDir(), "nops")
	code := append(bytes.Repeat([]byte{0x55}, 64), nop5Bytes[:]...)
	if err := os.WriteFile(path, code, 0o755); err != nil {
		t.Fatal(err)
	}
	plans := []Plan{{Path: path, Probes: []Probe{{Offset: 64}, {Offset: 63}}}}
	s, err := Open(plans, Options{})
	if err == nil {
		s.Close()
	}
	if nop5Hazard() != errors.Is(err, ErrHazard) {
		t.Errorf("hazardous kernel: %v; Open: %v", nop5Hazard(), err)
	}
	s, err = Open(plans, Options{AllowHazards: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestHazardVersion(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		want         bool
	}{{5, 10, false}, {6, 17, false}, {6, 18, true}, {6, 19, true}, {7, 0, true}, {7, 1, true}, {7, 2, false}, {8, 0, false}} {
		if got := hazardVersion(c.major, c.minor); got != c.want {
			t.Errorf("%d.%d: %v", c.major, c.minor, got)
		}
	}
}

// manyProbes is a plan of n sites spread as functions are.
func manyProbes(t testing.TB, n int) []Plan {
	path, width := codeFile(t, 64*n+64)
	p := Plan{Path: path}
	for i := range n {
		p.Probes = append(p.Probes, Probe{Offset: uint64(i+1) * 64 * width})
	}
	return []Plan{p}
}

func TestManySites(t *testing.T) {
	if can := needsKernel(t); !can.multi {
		t.Skip("this kernel has no uprobe_multi links (Linux 6.6)")
	}
	plans := manyProbes(t, 5000)
	begin := time.Now()
	s, err := Open(plans, Options{})
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Now()
	if u := s.Unverified(); u != nil {
		t.Errorf("plans %v are not verified", u)
	}
	if _, err := s.Counts(); err != nil {
		t.Error(err)
	}
	read := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closed := time.Now()
	t.Logf("5000 probes: open %v, counts %v, close %v", opened.Sub(begin), read.Sub(opened), closed.Sub(read))
	// Measured 0.1 s; the slack is for busy machines.
	const slow = 5 * time.Second
	if d := closed.Sub(begin); d > slow {
		t.Errorf("takes %v", d)
	}
}

func BenchmarkOpenClose(b *testing.B) {
	if _, err := detect(); err != nil {
		b.Skip(err)
	}
	plans := manyProbes(b, 5000)
	for b.Loop() {
		s, err := Open(plans, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
