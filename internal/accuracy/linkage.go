package accuracy

import (
	"debug/dwarf"
	"regexp"
	"strings"
)

// linkageOf is an entry's own mangled name, "" for none or for a name that is
// not mangled (gcc gives C functions that it renamed one).
func linkageOf(e *dwarf.Entry) string {
	name, _ := e.Val(dwarf.AttrLinkageName).(string)
	return mangled(name)
}

// mangled gives a mangled name, and "" for any other.
func mangled(name string) string {
	if strings.HasPrefix(name, "_Z") || strings.HasPrefix(name, "_R") {
		return name
	}
	return ""
}

var (
	// Constructors are C1 (complete), C2 (base), C4 (both, gcc's abstract one)
	// and destructors D0 (deleting), D1, D2, D4 (Itanium C++ ABI §5.1.4.3).
	structor = regexp.MustCompile(`([CD])[0-5]([EB])`)
	// Rust's old scheme ends with a hash that depends on the compilation.
	rustHash = regexp.MustCompile(`17h[0-9a-f]{16}E$`)
)

// family is the name that all variants of one function share.
func family(linkage string) string {
	return structor.ReplaceAllString(rustHash.ReplaceAllString(linkage, "E"), "${1}2$2")
}

// deleting tells a deleting destructor by its name.
func deleting(linkage string) bool {
	return strings.HasPrefix(linkage, "_ZN") && strings.HasSuffix(linkage, "D0Ev")
}
