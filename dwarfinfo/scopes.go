package dwarfinfo

const (
	// maxScopes bounds how many scopes enclose a function; real code has ten.
	maxScopes = 128
	// scopeFactor bounds the joined scope names, in sizes of .debug_info and
	// .debug_str together. Equal ones are kept once.
	scopeFactor = 16
)

// scopeNames joins the names of scopes.
type scopeNames struct {
	units  []unit
	known  map[string]string
	buf    []byte
	path   []*scope
	budget int
	types  *typeUnits
}

// scopes names the scope of every root: the place of the declaration counts,
// not the place of the body, which C++ writes outside of its class.
func (j *joiner) scopes() {
	s := scopeNames{units: j.units, known: map[string]string{}, types: j.types}
	for _, f := range j.files {
		if f.within == nil {
			s.budget += scopeFactor * (f.infoSize() + len(f.str))
		}
	}
	for i := range j.units {
		u := &j.units[i]
		for n := range u.funcSrc {
			index, scope := u.firstRef+int32(n), u.funcSrc[n].scope
			if f := &j.d.Funcs[index]; f.Root == index && scope >= 0 {
				f.Scope = s.name(u, scope, f.Offset)
			}
		}
	}
}

// name gives the full name of a scope.
func (s *scopeNames) name(u *unit, index int32, at uint64) string {
	s.path = s.path[:0]
	from := u
	prefix := ""
	for index >= 0 {
		sc := &from.scopes[index]
		if sc.done {
			prefix = sc.text
			break
		}
		if len(s.path) == maxScopes {
			u.gapSet.add(GapBadUnit, at, "a function lies in more than 128 scopes")
			return ""
		}
		s.path = append(s.path, sc)
		from, index = s.parent(from, sc)
	}
	for i := len(s.path) - 1; i >= 0; i-- {
		sc := s.path[i]
		sc.text, sc.done = s.join(u, at, prefix, sc.name), true
		prefix = sc.text
	}
	return prefix
}

// parent gives the scope around sc, which is around its declaration if it
// has one elsewhere; the declaration may have the name too.
func (s *scopeNames) parent(u *unit, sc *scope) (*unit, int32) {
	if sc.hasSig {
		return s.typeParent(u, sc)
	}
	if sc.spec == noRef || sc.spec == lostRef {
		return u, sc.parent
	}
	to := holder(s.units, u, sc.spec)
	if to == nil {
		return u, sc.parent
	}
	n := to.scopeAt(sc.spec - to.secs.base)
	if n < 0 {
		return u, sc.parent
	}
	if sc.name == "" {
		sc.name = to.scopes[n].name
	}
	return to, to.scopes[n].parent
}

// typeParent is parent for a type that a type unit describes: g++ writes the
// declaration without its namespaces, clang++ without its name.
func (s *scopeNames) typeParent(u *unit, sc *scope) (*unit, int32) {
	if to := s.types.unit(sc.sig); to != nil {
		if n := to.scopeAt(to.off + to.typeOff); n >= 0 {
			if sc.name == "" {
				sc.name = to.scopes[n].name
			}
			if to.scopes[n].hasSig { // its own, if anything
				return to, to.scopes[n].parent
			}
			return s.parent(to, &to.scopes[n])
		}
	}
	if sc.name == "" {
		sc.name = "(anonymous type)"
		u.gapSet.add(GapOrigin, sc.off, "the type unit of a scope was not found")
	}
	return u, sc.parent
}

func (s *scopeNames) join(u *unit, at uint64, prefix, name string) string {
	if prefix == "" || name == "" {
		return prefix + name
	}
	if s.budget -= len(prefix) + len(name); s.budget < 0 {
		u.gapSet.add(GapBadUnit, at, "scope names are out of all proportion to the file")
		return name
	}
	s.buf = append(append(append(s.buf[:0], prefix...), "::"...), name...)
	full, ok := s.known[string(s.buf)]
	if !ok {
		full = string(s.buf)
		s.known[full] = full
	}
	return full
}
