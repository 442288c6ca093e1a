package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// The limits: a file should be readable in one sitting, a function on one
// screen. Generated files and functions that only return a table are exempt.
const (
	fileWarn  = 400 // lines
	fileError = 700
	funcError = 80 // lines; test functions only warn, their tables are long
)

// function is one function with its length in lines.
type function struct {
	file  *file
	name  string
	line  int
	lines int
}

func sizes(m *module) []problem {
	var found []problem
	for _, f := range m.files {
		if f.generated {
			continue
		}
		if f.lines > fileWarn {
			found = append(found, problem{file: f.name, line: 1, warning: f.lines <= fileError,
				text: fmt.Sprintf("%d lines; split the file (warning above %d, error above %d)", f.lines, fileWarn, fileError)})
		}
		for _, fn := range functions(m, f) {
			if fn.lines > funcError {
				found = append(found, problem{file: f.name, line: fn.line, warning: f.test,
					text: fmt.Sprintf("function %s has %d lines, more than %d", fn.name, fn.lines, funcError)})
			}
		}
	}
	return found
}

func functions(m *module, f *file) []function {
	var list []function
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && !table(fn) {
			start, end := m.line(fn.Pos()), m.line(fn.End())
			list = append(list, function{file: f, name: fn.Name.Name, line: start, lines: end - start + 1})
		}
	}
	return list
}

// table tells whether the function only returns a literal, after at most a few
// definitions that the literal uses.
func table(fn *ast.FuncDecl) bool {
	last := len(fn.Body.List) - 1
	if last < 0 {
		return false
	}
	for _, s := range fn.Body.List[:last] {
		if def, ok := s.(*ast.AssignStmt); !ok || def.Tok != token.DEFINE {
			return false
		}
	}
	ret, ok := fn.Body.List[last].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false
	}
	_, ok = ret.Results[0].(*ast.CompositeLit)
	return ok
}

// longest prints the five longest files and functions, so that growth is seen
// before a limit is hit.
func longest(m *module) {
	var files []*file
	var funcs []function
	for _, f := range m.files {
		if f.generated || f.test {
			continue
		}
		files = append(files, f)
		funcs = append(funcs, functions(m, f)...)
	}
	slices.SortStableFunc(files, func(a, b *file) int { return cmp.Compare(b.lines, a.lines) })
	slices.SortStableFunc(funcs, func(a, b function) int { return cmp.Compare(b.lines, a.lines) })
	fmt.Println("longest files:")
	for _, f := range files[:min(5, len(files))] {
		fmt.Printf("  %4d %s\n", f.lines, f.name)
	}
	fmt.Println("longest functions:")
	for _, fn := range funcs[:min(5, len(funcs))] {
		fmt.Printf("  %4d %s:%d %s\n", fn.lines, fn.file.name, fn.line, fn.name)
	}
}
