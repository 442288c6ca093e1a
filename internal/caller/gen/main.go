// Command gen builds the caller from src for both architectures. Like
// internal/demo/gen it leaves a program as it is when the sources are the same
// and the compiler here is not the one that made it; -force builds anyway.
package main

import (
	"bytes"
	"compress/gzip"
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

// triples are the architectures, as GOARCH, and their compilers' names.
var triples = [][2]string{{"amd64", "x86_64-linux-gnu-"}, {"arm64", "aarch64-linux-gnu-"}}

// flags make a program of nothing but its sources.
var flags = []string{"-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-no-pie",
	"-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-Wl,--build-id=sha1", "-Wl,-z,noexecstack", "-Wl,-z,norelro",
	"caller.c", "functions.S"}

func main() {
	force := flag.Bool("force", false, "rebuild with whatever compiler there is")
	flag.Parse()
	if err := run(*force); err != nil {
		fmt.Fprintln(os.Stderr, "caller/gen:", err)
		os.Exit(1)
	}
}

func run(force bool) error {
	sums, err := manifest.Sum(os.DirFS("src"))
	if err != nil {
		return err
	}
	old := manifest.Manifest{}
	if b, err := os.ReadFile("manifest.json"); err == nil {
		if old, err = manifest.Parse(b); err != nil {
			return err
		}
	}
	m := manifest.Manifest{Sources: sums}
	for _, t := range triples {
		set, err := build(t[0], t[1], old.Set(t[0]), force || !old.SameSources(sums))
		if err != nil {
			return err
		}
		m.Sets = append(m.Sets, set)
	}
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile("manifest.json", append(b, '\n'), 0o644)
}

// build gives the set of one architecture, old when that stays.
func build(arch, triple string, old manifest.Set, must bool) (manifest.Set, error) {
	line := strings.Join(flags, " ")
	must = must || len(old.Programs) != 1 || old.Programs[0].Flags != line
	tools, err := versions(triple+"gcc", triple+"ld")
	if err != nil && must {
		return old, fmt.Errorf("%w; install the package gcc-%s", err, strings.TrimSuffix(triple, "-"))
	}
	if !must && (err != nil || !slices.Equal(tools, old.Tools)) {
		fmt.Printf("caller for %s: kept, the tools here are not those that made it\n", arch)
		return old, nil
	}
	data, err := compile(triple + "gcc")
	if err != nil {
		return old, err
	}
	set := manifest.Set{Arch: arch, Tools: tools, Programs: []manifest.Program{
		{Name: "caller", Flags: line, SHA256: manifest.Hash(data), Size: len(data)},
	}}
	if old.SamePrograms(set) {
		fmt.Printf("caller for %s: unchanged\n", arch)
		return set, nil // not written anew: another Go may compress otherwise
	}
	fmt.Printf("caller for %s: rebuilt\n", arch)
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return old, err
	}
	if _, err := w.Write(data); err != nil {
		return old, err
	}
	if err := w.Close(); err != nil {
		return old, err
	}
	return set, os.WriteFile("caller_"+arch+".gz", packed.Bytes(), 0o644)
}

func versions(tools ...string) ([]string, error) {
	var out []string
	for _, tool := range tools {
		text, err := exec.Command(tool, "--version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tool, err)
		}
		first, _, _ := bytes.Cut(text, []byte("\n"))
		out = append(out, string(first))
	}
	return out, nil
}

func compile(cc string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "surehook-caller-gen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "caller")
	cmd := exec.Command(cc, slices.Concat(flags, []string{"-o", out})...)
	cmd.Dir = "src"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, msg)
	}
	return os.ReadFile(out)
}
