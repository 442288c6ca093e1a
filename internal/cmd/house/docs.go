package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// docs demands a comment on every exported name, and a package comment.
func docs(m *module) []problem {
	var found []problem
	packages := map[string]bool{} // documented
	for _, f := range m.files {
		if f.test {
			continue
		}
		packages[f.pkg] = packages[f.pkg] || f.ast.Doc != nil
		if f.generated {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, id := range undocumented(d) {
				found = append(found, problem{file: f.name, line: m.line(id.Pos()),
					text: "exported " + id.Name + " has no comment"})
			}
		}
	}
	for pkg, ok := range packages {
		if !ok {
			found = append(found, problem{file: pkg, line: 1, text: "package has no comment"})
		}
	}
	return found
}

func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && receiverExported(d) && !wellKnown(d) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return nil
		}
		var list []*ast.Ident
		for _, s := range d.Specs {
			list = append(list, undocumentedSpec(d, s)...)
		}
		return list
	}
	return nil
}

// undocumentedSpec accepts a comment on the spec, at the end of its line, or on
// the group when the group holds constants or variables.
func undocumentedSpec(d *ast.GenDecl, s ast.Spec) []*ast.Ident {
	var list []*ast.Ident
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
			list = append(list, s.Name)
		}
	case *ast.ValueSpec:
		if s.Doc != nil || s.Comment != nil || d.Doc != nil {
			return nil
		}
		for _, n := range s.Names {
			if n.IsExported() {
				list = append(list, n)
			}
		}
	}
	return list
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	id, ok := t.(*ast.Ident)
	return ok && id.IsExported()
}

// wellKnown are methods whose meaning an interface of the standard library
// fixes.
func wellKnown(d *ast.FuncDecl) bool {
	return d.Recv != nil && strings.Contains(" Error Is Unwrap String Len Less Swap ", " "+d.Name.Name+" ")
}

// shape forbids what makes packages hard to reason about.
func shape(m *module) []problem {
	var found []problem
	for _, f := range m.files {
		switch f.ast.Name.Name {
		case "util", "utils", "common", "helpers", "misc":
			found = append(found, problem{file: f.name, line: 1, text: "package " + f.ast.Name.Name + " says nothing; name it after what it is"})
		}
		if f.test || f.generated {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				found = append(found, problem{file: f.name, line: m.line(fn.Pos()), text: "init() acts at a distance; call it"})
			}
		}
	}
	return found
}
