package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// module is all Go files of the module, parsed.
type module struct {
	path  string // from go.mod
	fset  *token.FileSet
	files []*file
}

// file is one Go file.
type file struct {
	name      string // relative to the module, with slashes
	pkg       string // directory, "." for the module's own
	ast       *ast.File
	lines     int
	test      bool
	generated bool
}

func load(dir string) (*module, error) {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	m := &module{path: strings.TrimPrefix(first, "module "), fset: token.NewFileSet()}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return m.enter(dir, name, d)
		}
		if strings.HasSuffix(name, ".go") {
			return m.parse(dir, name)
		}
		return nil
	})
	return m, err
}

// enter leaves out what the go command leaves out too: hidden directories,
// testdata, and other modules.
func (m *module) enter(dir, name string, d fs.DirEntry) error {
	if name == dir {
		return nil
	}
	base := d.Name()
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor" {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func (m *module) parse(dir, name string) error {
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(dir, name)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	tree, err := parser.ParseFile(m.fset, rel, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	m.files = append(m.files, &file{
		name:      rel,
		pkg:       path.Dir(rel),
		ast:       tree,
		lines:     bytes.Count(src, []byte("\n")),
		test:      strings.HasSuffix(rel, "_test.go"),
		generated: ast.IsGenerated(tree),
	})
	return nil
}

func (m *module) line(pos token.Pos) int { return m.fset.Position(pos).Line }
