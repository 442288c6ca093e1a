// Command gen builds the demo programs from internal/demo/src.
//
// They are only rebuilt when the sources changed, or when the tools that are
// installed are the ones that manifest.json names: other tools make other bytes
// of the same source, and that would be noise in the history. -force rebuilds
// anyway. An architecture without a compiler here is left as it is, and said.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/surehook/surehook/internal/demo/manifest"
)

// build is one compiler call: all programs are made with debug information
// and without any path of this machine in them.
type build struct {
	program string
	flags   []string
	sources []string // relative to src
}

// toolchain makes the programs of one architecture.
type toolchain struct {
	arch string // as GOARCH
	cc   string
	ld   string
	libc string // Debian package with the start files
}

func toolchains() []toolchain {
	return []toolchain{
		{arch: "amd64", cc: "x86_64-linux-gnu-gcc", ld: "x86_64-linux-gnu-ld", libc: "libc6-dev"},
		{arch: "arm64", cc: "aarch64-linux-gnu-gcc", ld: "aarch64-linux-gnu-ld", libc: "libc6-dev-arm64-cross"},
	}
}

func builds() []build {
	inline := []string{"inline/add.c", "inline/main.c"}
	partial := []string{"partial/pool.c", "partial/main.c"}
	// The library's own calls go straight to the function, as distributions
	// link. Without a PLT for them, and with code on pages of its own (the
	// default on x86-64 only), .text begins at one offset in both versions.
	lib := []string{"-O2", "-fPIC", "-shared", "-Wl,-Bsymbolic-functions", "-Wl,-z,separate-code", "-Wl,-soname,libprice.so"}
	return []build{
		{"inline-O0", []string{"-O0"}, inline},
		{"inline-O2", []string{"-O2"}, inline},
		{"partial-O0", []string{"-O0"}, partial},
		{"partial-O2", []string{"-O2"}, partial},
		{"shop", []string{"-O2"}, []string{"relink/shop.c"}},
		{"libprice-v1.so", lib, []string{"relink/price_v1.c"}},
		{"libprice-v2.so", lib, []string{"relink/price_v2.c"}},
	}
}

// line is what follows the compiler's name, without what differs by machine.
func (b build) line() string { return strings.Join(b.args(), " ") }

func (b build) args() []string { return slices.Concat(common(), b.flags, b.sources) }

func common() []string {
	return []string{"-g", "-gdwarf-5", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=sha1"}
}

func main() {
	force := flag.Bool("force", false, "rebuild with whatever compiler there is")
	dir := flag.String("C", ".", "directory of package demo")
	flag.Parse()
	if err := run(*dir, *force); err != nil {
		fmt.Fprintln(os.Stderr, "demo/gen:", err)
		os.Exit(1)
	}
}

func run(dir string, force bool) error {
	src := filepath.Join(dir, "src")
	sums, err := manifest.Sum(os.DirFS(src))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "manifest.json")
	old, err := readManifest(path)
	if err != nil {
		return err
	}
	changed := !old.SameSources(sums) || !sameFlags(old)
	m := manifest.Manifest{Sources: sums}
	for _, t := range toolchains() {
		set, err := t.make(dir, old.Set(t.arch), changed, force)
		if err != nil {
			return err
		}
		m.Sets = append(m.Sets, set)
	}
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func readManifest(path string) (manifest.Manifest, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return manifest.Manifest{}, nil
	}
	if err != nil {
		return manifest.Manifest{}, err
	}
	return manifest.Parse(b)
}

// sameFlags tells whether the recorded programs were built as builds says now.
func sameFlags(old manifest.Manifest) bool {
	for _, set := range old.Sets {
		same := slices.EqualFunc(set.Programs, builds(), func(p manifest.Program, b build) bool {
			return p.Name == b.program && p.Flags == b.line()
		})
		if !same {
			return false
		}
	}
	return true
}

// make gives the set of programs for one architecture, old if nothing is to be
// or can be done.
func (t toolchain) make(dir string, old manifest.Set, changed, force bool) (manifest.Set, error) {
	tools, err := t.tools()
	if err != nil {
		if changed || old.Arch == "" {
			return old, fmt.Errorf("the sources changed and %s cannot be rebuilt: %w", t.arch, err)
		}
		fmt.Printf("demo programs for %s: kept: %v\n", t.arch, err)
		return old, nil
	}
	if !changed && !force && old.Arch != "" && !slices.Equal(tools, old.Tools) {
		fmt.Printf("demo programs for %s: kept, they were made with other tools:\n  recorded  %s\n  installed %s\n",
			t.arch, strings.Join(old.Tools, "; "), strings.Join(tools, "; "))
		return old, nil
	}
	set := manifest.Set{Arch: t.arch, Tools: tools}
	files := map[string][]byte{}
	for _, b := range builds() {
		data, err := t.compile(filepath.Join(dir, "src"), b)
		if err != nil {
			return old, err
		}
		files[b.program] = data
		set.Programs = append(set.Programs, manifest.Program{Name: b.program, Flags: b.line(), SHA256: manifest.Hash(data), Size: len(data)})
	}
	archive := filepath.Join(dir, "programs_"+t.arch+".zip")
	if _, err := os.Stat(archive); err == nil && old.SamePrograms(set) {
		fmt.Printf("demo programs for %s: unchanged\n", t.arch)
		return set, nil // not written anew: another Go may compress otherwise
	}
	fmt.Printf("demo programs for %s: rebuilt\n", t.arch)
	return set, writeArchive(archive, set, files)
}

// tools are the versions of all that decides the bytes of a program.
func (t toolchain) tools() ([]string, error) {
	var versions []string
	for _, tool := range []string{t.cc, t.ld} {
		out, err := exec.Command(tool, "--version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w; install the package gcc-%s", tool, err, strings.TrimSuffix(t.cc, "-gcc"))
		}
		first, _, _ := bytes.Cut(out, []byte("\n"))
		versions = append(versions, string(first))
	}
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Package} ${Version}", t.libc).Output()
	if err != nil {
		return nil, fmt.Errorf("package %s is not installed: %w", t.libc, err)
	}
	return append(versions, string(out)), nil
}

func (t toolchain) compile(src string, b build) ([]byte, error) {
	abs, err := filepath.Abs(src)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "surehook-demo-gen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, b.program)
	cmd := exec.Command(t.cc, slices.Concat(b.args(), []string{"-ffile-prefix-map=" + abs + "=.", "-o", out})...)
	cmd.Dir = abs
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, msg)
	}
	return os.ReadFile(out)
}
