// Command house checks the rules of CONTRIBUTING.md that no off-the-shelf
// linter knows: which package may import which, how long files and functions
// may get, and that every exported name is documented.
//
//	go run ./internal/cmd/house [directory]
//
// Warnings are printed and pass; errors fail.
package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
)

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	code, err := run(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		code = 2
	}
	os.Exit(code)
}

func run(dir string) (int, error) {
	m, err := load(dir)
	if err != nil {
		return 0, err
	}
	var problems []problem
	for _, rule := range []func(*module) []problem{imports, sizes, docs, shape} {
		problems = append(problems, rule(m)...)
	}
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	errors := 0
	for _, p := range problems {
		fmt.Println(p)
		if !p.warning {
			errors++
		}
	}
	longest(m)
	if errors > 0 {
		fmt.Printf("house: %d errors\n", errors)
		return 1, nil
	}
	return 0, nil
}

// problem is one broken rule.
type problem struct {
	file    string // relative to the module
	line    int
	text    string
	warning bool
}

func (p problem) String() string {
	kind := "error"
	if p.warning {
		kind = "warning"
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.file, p.line, kind, p.text)
}
