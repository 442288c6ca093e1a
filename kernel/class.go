package kernel

// Class says what the compiler made of a function's name in one build.
type Class uint8

// The classes.
const (
	Absent    Class = iota // no trace of it
	Plain                  // a body, no copies
	Selective              // a body, and inlined copies besides
	Full                   // only inlined copies
	CloneOnly              // no body of that name, only .isra, .constprop
	PartOnly               // only the tail of it has a symbol
)

// String names the class for people.
func (c Class) String() string {
	names := []string{"absent", "plain", "selectively inlined", "fully inlined", "clone only", "part only"}
	if int(c) >= len(names) {
		return "?"
	}
	return names[c]
}

// Count gives how many symbols of a kind there are.
func (f *Function) Count(kind SymbolKind) int {
	n := 0
	for _, s := range f.Symbols {
		if s.Kind == kind {
			n++
		}
	}
	return n
}

// Class gives the class of a function. Without facts on inlining, what has a
// body counts as plain: ask Missing(Inlining) first.
func (f *Function) Class() Class {
	bodies, clones := f.Count(Body), f.Count(Clone)
	switch {
	case bodies > 0 && len(f.Copies) > 0:
		return Selective
	case bodies > 0:
		return Plain
	case clones > 0:
		return CloneOnly
	case len(f.Copies) > 0:
		return Full
	case f.Count(Part) > 0:
		return PartOnly
	}
	return Absent
}
