package demo

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/demo/manifest"
)

func arches() []elfbin.Arch { return []elfbin.Arch{elfbin.AMD64, elfbin.ARM64} }

// The programs that are embedded are the ones that were built from the sources
// that are embedded.
func TestManifest(t *testing.T) {
	m, err := manifest.Parse(manifestJSON)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := manifest.Sum(os.DirFS("src"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Sources, sums); diff != "" {
		t.Errorf("src is not what the programs were built from; run \"make generate\" (-built +now):\n%s", diff)
	}
	for _, arch := range arches() {
		set := m.Set(arch.String())
		if len(set.Programs) == 0 || len(set.Tools) == 0 {
			t.Errorf("%s: no programs or tools in the manifest", arch)
		}
		for _, p := range set.Programs {
			b, err := program(arch, p.Name)
			if err != nil {
				t.Error(err)
				continue
			}
			if manifest.Hash(b) != p.SHA256 {
				t.Errorf("%s/%s is not the program of the manifest; run \"make generate\"", arch, p.Name)
			}
		}
	}
}

func TestExtract(t *testing.T) {
	for _, arch := range arches() {
		for _, e := range Examples() {
			t.Run(arch.String()+"/"+e.Name, func(t *testing.T) {
				dir := t.TempDir()
				for range 2 { // the second time over the first
					if err := Extract(dir, e, arch); err != nil {
						t.Fatal(err)
					}
				}
				for _, p := range e.Programs {
					f, err := elf.Open(filepath.Join(dir, p))
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					want := map[elfbin.Arch]elf.Machine{elfbin.AMD64: elf.EM_X86_64, elfbin.ARM64: elf.EM_AARCH64}[arch]
					if f.Machine != want || f.Section(".debug_info") == nil {
						t.Errorf("%s: %v, .debug_info %v", p, f.Machine, f.Section(".debug_info"))
					}
				}
				if m, _ := filepath.Glob(filepath.Join(dir, e.Name, "*.c")); len(m) == 0 {
					t.Error("no sources beside the programs")
				}
			})
		}
	}
}

func TestExtractUnknown(t *testing.T) {
	if err := Extract(t.TempDir(), Examples()[0], elfbin.UnknownArch); err == nil {
		t.Error("no error for an unknown architecture")
	}
	if _, err := Find("nosuch"); err == nil {
		t.Error("no error for an unknown example")
	}
}

// The programs count their own executions: that is the truth of the demo.
func TestTruth(t *testing.T) {
	arch := hostArch()
	if runtime.GOOS != "linux" || arch.String() != runtime.GOARCH {
		t.Skip("demo programs run on linux/amd64 and linux/arm64 only")
	}
	for _, e := range Examples() {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Extract(dir, e, arch); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(filepath.Join(dir, e.Command[0]), e.Command[1:]...)
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
			got, err := truth(string(lines[len(lines)-1]))
			if err != nil || got != e.Truth {
				t.Errorf("executed %d times (%v), want %d", got, err, e.Truth)
			}
		})
	}
}

// What makes the stories true is in the binaries, for both architectures.
func TestSymbols(t *testing.T) {
	for _, arch := range arches() {
		t.Run(arch.String(), func(t *testing.T) {
			if s := symbols(t, arch, "inline-O2"); s["add"] == 0 || s["sum"] == 0 {
				t.Error("inline-O2 lost add or sum")
			}
			if s := symbols(t, arch, "partial-O2"); s["reserve"] == 0 || s["reserve.part.0"] == 0 {
				t.Error("partial-O2 is not split into reserve and reserve.part.0")
			}
			v1, v2 := symbols(t, arch, "libprice-v1.so"), symbols(t, arch, "libprice-v2.so")
			if v1["price"] == 0 || v1["price"] != v2["discount"] || v1["price"] == v2["price"] {
				t.Errorf("version 1 has price at %#x, version 2 discount at %#x and price at %#x",
					v1["price"], v2["discount"], v2["price"])
			}
		})
	}
}

func symbols(t *testing.T, arch elfbin.Arch, name string) map[string]uint64 {
	t.Helper()
	b, err := program(arch, name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]uint64{}
	for _, s := range list {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			values[s.Name] = s.Value
		}
	}
	return values
}

func TestSourceLine(t *testing.T) {
	for _, test := range []struct {
		file string
		line int
		want string
	}{
		{"inline/add.c", 11, "return a + b;"},
		{"/build/inline/add.c", 11, "return a + b;"},
		{"./inline/add.c", 11, "return a + b;"},
		{"inline/add.c", 0, ""},
		{"inline/add.c", 9999, ""},
		{"add.c", 1, ""},
		{"nosuch/add.c", 1, ""},
		{"", 1, ""},
	} {
		if got := sourceLine(test.file, test.line); got != test.want {
			t.Errorf("%s:%d is %q, want %q", test.file, test.line, got, test.want)
		}
	}
}
