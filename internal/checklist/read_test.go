package checklist

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	text := `version: 1
kernels: debian-6.*
fail-on: error
format: sarif
baseline: accepted.yaml
atlas: [a.atlas, /b.atlas]
binaries:
  /usr/lib/x.so: build/x.so
  libssl: ../ssl.so
check:
- files: [tools, x.bpf.o]
- file: y.bt
  hooks: [kprobe:f, "uprobe:./x:f"]
  kernels: [live, all]
  binaries: {/usr/lib/x.so: /abs/x.so}
- hook: lsm:file_open
  kernel: live
`
	got, err := Parse("sub/.surehook.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join("sub", name) }
	want := &List{
		Path: "sub/.surehook.yaml", Dir: "sub", Format: "sarif", FailOn: "error", Baseline: in("accepted.yaml"), Atlas: []string{in("a.atlas"), "/b.atlas"},
		Entries: []Entry{
			{Files: []string{in("tools"), in("x.bpf.o")}, Kernels: []string{"debian-6.*"}, Binaries: map[string]string{"/usr/lib/x.so": in("build/x.so"), "libssl": "ssl.so"}, Line: 11, Column: 3},
			{Files: []string{in("y.bt")}, Hooks: []string{"kprobe:f", "uprobe:./x:f"}, Places: []Place{{13, 11}, {13, 21}}, Kernels: []string{"live", "all"}, Binaries: map[string]string{"/usr/lib/x.so": "/abs/x.so", "libssl": "ssl.so"}, Line: 12, Column: 3},
			{Hooks: []string{"lsm:file_open"}, Places: []Place{{16, 9}}, Kernels: []string{"live"}, Binaries: map[string]string{"/usr/lib/x.so": in("build/x.so"), "libssl": "ssl.so"}, Line: 16, Column: 3},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMistakes: all are told, each with its place.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", []string{"x:1:1: one document"}},
		{"a: 1\n---\nb: 2\n", []string{"x:1:1: one document"}},
		{"check: [\n", []string{"x:2:1: "}},
		{"chek: []\n", []string{`x:1:1: unknown field "chek"; did you mean check?`, "x:1:1: no check"}},
		{"check:\n- fil: a\n  kernls: b\n", []string{`x:2:3: check[0]: unknown field "fil"; did you mean file?`, `x:3:3: check[0]: unknown field "kernls"; did you mean kernels?`}},
		{"check: []\n", []string{"x:1:1: check: nothing is listed"}},
		{"check: [{}]\n", []string{"x:1:9: neither files nor hooks"}},
		{"version: 2\ncheck: [{file: a}]\n", []string{`x:1:10: version: "2" is none of 1`}},
		{"fail-on: never\nformat: html\ncheck: [{file: a}]\n", []string{`x:1:10: fail-on: unknown severity`, `x:2:9: unknown format "html"`}},
		{"check: [{hook: vfs_read}, {file: {a: b}}, {file: [[]]}]\n", []string{"x:1:16: ", "x:1:34: file: a text", "x:1:27: neither", "x:1:51: file: a text", "x:1:43: neither"}},
		{"binaries: {a: [b]}\ncheck: [{file: a}]\n", []string{"x:1:15: binaries: write"}},
	} {
		got, err := Parse("x", []byte(tt.text))
		if err == nil || got != nil {
			t.Errorf("%q: %v, %v", tt.text, got, err)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(tt.want) {
			t.Errorf("%q: %q", tt.text, lines)
			continue
		}
		for i := range lines {
			if !strings.HasPrefix(lines[i], tt.want[i]) {
				t.Errorf("%q: %q, want %q", tt.text, lines[i], tt.want[i])
			}
		}
	}
}

func TestIs(t *testing.T) {
	for name, want := range map[string]bool{".surehook.yaml": true, "a/.surehook.yaml": true, "ci.surehook.yaml": true, "surehook.yaml": false, "a.yaml": false} {
		if Is(name) != want {
			t.Error(name)
		}
	}
}

// FuzzParse: a list, or errors with places.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"check: [{file: a}]\n", "check: &a [*a]\n", "binaries: {'': x}\ncheck: [{hooks: [kprobe:f], kernels: [[a]]}]\n", "fail-on: []\ncheck: x\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse("x", data)
		if (got == nil) != (err != nil) {
			t.Fatal("error xor value")
		}
		e := (*FormatError)(nil)
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%T", err)
		}
	})
}
