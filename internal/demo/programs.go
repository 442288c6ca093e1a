package demo

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/elfbin"
)

//go:embed src
var sources embed.FS

//go:embed manifest.json
var manifestJSON []byte

//go:embed programs_amd64.zip
var programsAMD64 []byte

//go:embed programs_arm64.zip
var programsARM64 []byte

// maxProgram bounds what is unpacked from one archive entry; the largest
// program is 75 kB (arm64 pads its segments to 64 kB).
const maxProgram = 1 << 20

// Example is one of the demo's stories and the programs it needs.
type Example struct {
	Name     string   // the argument of "surehook demo"
	Title    string   // one line
	Hook     string   // what the user would trace, with the path relative to the directory of Extract
	Command  []string // runs the workload; Command[0] is relative to that directory
	Truth    uint64   // how often Hook's function is executed by Command
	Symbol   uint64   // of those, how many enter through the symbol
	Programs []string // files that Extract writes
}

// Examples gives the stories in the order in which they are told.
func Examples() []Example {
	return []Example{
		{
			Name:     "inline",
			Title:    "selective inlining",
			Hook:     "uprobe:./inline-O2:add",
			Command:  []string{"./inline-O2", "10"},
			Truth:    13,
			Symbol:   2,
			Programs: []string{"inline-O0", "inline-O2"},
		},
		{
			Name:     "partial",
			Title:    "partial inlining",
			Hook:     "uprobe:./partial-O2:reserve",
			Command:  []string{"./partial-O2"},
			Truth:    12,
			Symbol:   1,
			Programs: []string{"partial-O0", "partial-O2"},
		},
		{
			Name:     "relink",
			Title:    "a library that is updated under its probe",
			Hook:     "uprobe:./libprice-v2.so:price",
			Command:  []string{"./shop", "./libprice-v2.so"},
			Truth:    10,
			Symbol:   10,
			Programs: []string{"shop", "libprice-v1.so", "libprice-v2.so"},
		},
	}
}

// Find gives the example of that name.
func Find(name string) (Example, error) {
	var names []string
	for _, e := range Examples() {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Example{}, fmt.Errorf("no demo %q; there are %s", name, strings.Join(names, ", "))
}

// Extract writes the example's programs for arch and their sources into dir,
// which must exist. The sources go to dir/NAME, the path that the programs'
// debug information gives.
func Extract(dir string, e Example, arch elfbin.Arch) error {
	for _, name := range e.Programs {
		b, err := program(arch, name)
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(dir, name), b, 0o755); err != nil {
			return fmt.Errorf("unpack the demo: %w", err)
		}
	}
	return extractSources(dir, e.Name)
}

func extractSources(dir, name string) error {
	return fs.WalkDir(sources, "src/"+name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := sources.ReadFile(path)
		if err != nil {
			return err
		}
		out := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(path, "src/")))
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return err
		}
		return writeNew(out, b, 0o644)
	})
}

// writeNew replaces the file instead of writing into it: a demo that still
// runs must not have its program changed under it.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, b, mode)
}

// program gives the ELF file of that name.
func program(arch elfbin.Arch, name string) ([]byte, error) {
	data, err := archive(arch)
	if err != nil {
		return nil, err
	}
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("demo programs for %s: %w", arch, err)
	}
	f, err := zr.Open(name)
	if err != nil {
		return nil, fmt.Errorf("demo programs for %s: %w", arch, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxProgram))
	if err != nil {
		return nil, fmt.Errorf("demo program %s for %s: %w", name, arch, err)
	}
	return b, nil
}

func archive(arch elfbin.Arch) ([]byte, error) {
	switch arch {
	case elfbin.AMD64:
		return programsAMD64, nil
	case elfbin.ARM64:
		return programsARM64, nil
	}
	return nil, fmt.Errorf("there are no demo programs for %s; there are for amd64 and arm64", arch)
}

// sourceLine gives one line of a source as the debug information names it
// ("inline/add.c", perhaps behind a directory), or "" when there is none.
func sourceLine(file string, line int) string {
	i := strings.LastIndex(file, "/")
	if i < 0 || line < 1 {
		return ""
	}
	dir := file[strings.LastIndex(file[:i], "/")+1 : i]
	b, err := sources.ReadFile("src/" + dir + "/" + file[i+1:])
	if err != nil {
		return ""
	}
	lines := strings.Split(string(b), "\n")
	if line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}
