package accuracy

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// workloads are the inputs and forced includes of the programs.
//
//go:embed workloads
var workloads embed.FS

// program is one program of the harness: where it comes from, how it is
// compiled without its own build system, and what it is made to do.
type program struct {
	name     string
	lang     string   // "" is C
	crate    string   // of a library in Rust
	modules  []string // in Go: prefixes of the names of the functions that are the program's
	hooks    []string // patterns of the functions that surehook is asked for; empty: all
	builds   []build
	source   source
	patterns []string // source files, relative to the tree
	without  []string // of those: base names to leave out
	include  string   // forced include, a file of workloads
	flags    []string // for the compiler; $SRC is the tree
	libs     []string
	// generated gives files that the program's build would generate, by path
	// relative to the tree. May be nil.
	generated func(tree string) (map[string][]byte, error)
	inputs    func() (map[string][]byte, error) // files of the working directory
	commands  []string                          // run one after the other; each starts with ./name
	emulated  int                               // the first so many commands under emulation, which is slow; 0: all
}

// programs are the programs by name.
func programs() []program {
	return []program{luaProgram(), jqProgram(), zstdProgram(), tinyxml2Program(), regexSyntaxProgram(), blackfridayProgram()}
}

// files lists the source files.
func (p program) files(tree string) ([]string, error) {
	skip := map[string]bool{}
	for _, w := range p.without {
		skip[w] = true
	}
	var list []string
	for _, pat := range p.patterns {
		found, err := filepath.Glob(filepath.Join(tree, pat))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !skip[filepath.Base(f)] {
				list = append(list, f)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no source files in %s; delete that directory", p.name, tree)
	}
	sort.Strings(list)
	return list, nil
}

// tree fetches the sources and writes the generated files into them.
func (p program) tree(ctx context.Context, c store) (string, error) {
	tree, err := p.source.fetch(ctx, c)
	if err != nil || p.generated == nil {
		return tree, err
	}
	files, err := p.generated(tree)
	if err != nil {
		return "", err
	}
	return tree, writeInputs(tree, files)
}

// writeInputs writes files into dir where they differ.
func writeInputs(dir string, files map[string][]byte) error {
	for name, data := range files {
		file := filepath.Join(dir, name)
		if old, err := os.ReadFile(file); err == nil && string(old) == string(data) {
			continue
		}
		if err := writeFile(file, data); err != nil {
			return err
		}
	}
	return nil
}

// compileFlags are the flags of every file of the program.
func (p program) compileFlags(tree string) ([]string, error) {
	var flags []string
	for _, f := range p.flags {
		flags = append(flags, strings.ReplaceAll(f, "$SRC", tree))
	}
	return flags, nil
}

// embedded reads one file of workloads.
func embedded(name string) ([]byte, error) { return workloads.ReadFile("workloads/" + name) }
