package dwarfinfo

import (
	"fmt"
	"path"
)

// scope reads a namespace or a type and returns its index. What has no
// children is kept only if it is a declaration, since a definition elsewhere
// may take its place in the scopes from it, or what a type unit is for.
func (w *walker) scope(act action, a *abbrev) int32 {
	u := w.u
	s := scope{off: w.at, parent: w.now.scope, spec: noRef}
	declared := false
	var at position
	ok := w.attrs(a, func(attr uint16, v value) {
		switch attr {
		case attrName:
			s.name = u.string(w.at, v, "name of a scope")
		case attrSpecification, attrExtension:
			s.spec = u.ref(w.at, v, "declaration of a scope")
		case attrDeclaration:
			declared = v.u != 0
		case attrSignature:
			s.sig, s.hasSig = v.u, v.class == classSig
		case attrDeclFile:
			at.file = v
		case attrDeclLine:
			at.line = v.u
		case attrDeclColumn:
			at.col = v.u
		}
	})
	if !ok || !a.children && !declared && !(u.typeUnit() && w.at == u.off+u.typeOff) {
		return w.now.scope
	}
	if s.name == "" && s.spec == noRef && !s.hasSig {
		s.name = w.anonymous(act, at)
	}
	u.scopes = append(u.scopes, s)
	return int32(len(u.scopes) - 1)
}

// position is where a type is declared, as written.
type position struct {
	file      value
	line, col uint64
}

// anonymous names a scope that has no name. Lambdas are such types in C++, and
// what tells their functions apart is where they stand.
func (w *walker) anonymous(act action, at position) string {
	switch {
	case act == actScope:
		return "(anonymous namespace)"
	case at.line == 0 || !cplusplus(w.u.meta.Language):
		return "(anonymous type)"
	}
	return fmt.Sprintf("(anonymous type at %s:%d:%d)", path.Base(w.paths.file(w.at, at.file)), at.line, at.col)
}

// cplusplus tells whether a language is C++ (DWARF5 §7.12, and its later list).
func cplusplus(lang uint16) bool {
	switch lang {
	case 0x04, 0x1a, 0x21, 0x2b, 0x3a: // C++, 11, 14, 17, 20
		return true
	}
	return false
}
