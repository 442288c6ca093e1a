package dwarfinfo

const (
	unknownRoot = -1
	onPath      = -2
)

// roots follows every function's chain of origins to its end and hands what
// is written along it down. Each function is visited once, however long the
// chains are.
func (j *joiner) roots() {
	funcs := j.d.Funcs
	for i := range funcs {
		funcs[i].Root = unknownRoot
	}
	var path []int32
	for i := range funcs {
		path = path[:0]
		at := int32(i)
		for at >= 0 && funcs[at].Root == unknownRoot {
			funcs[at].Root = onPath
			path = append(path, at)
			at = j.refs[at]
		}
		if at >= 0 && funcs[at].Root == onPath {
			path = j.breakCycle(path, at)
		}
		for n := len(path) - 1; n >= 0; n-- {
			f, next := &funcs[path[n]], j.refs[path[n]]
			if next < 0 {
				f.Root = path[n]
				continue
			}
			f.Root = funcs[next].Root
			inherit(f, &funcs[next])
		}
	}
	for i := range funcs {
		if f := &funcs[i]; f.Root != int32(i) {
			funcs[f.Root].Inline |= f.Inline // DW_INL_* are bits: inlined, declared so
		}
	}
}

// breakCycle makes the lowest function of a cycle its root: whichever entry
// the reading began at, the answer is the same. The cycle is the part of the
// path from at on; what leads into it is returned.
func (j *joiner) breakCycle(path []int32, at int32) []int32 {
	start := len(path) - 1
	for path[start] != at {
		start--
	}
	root := at
	for _, f := range path[start:] {
		root = min(root, f)
	}
	for _, f := range path[start:] {
		j.d.Funcs[f].Root = root
	}
	f := &j.d.Funcs[root]
	j.units[f.Unit].gapSet.add(GapOrigin, f.Offset, "origins of functions lead in a circle")
	return path[:start]
}

// inherit hands down what f does not say itself. DW_AT_declaration is about
// the entry only.
func inherit(f, from *Func) {
	if f.Name == "" {
		f.Name = from.Name
	}
	if f.LinkageName == "" {
		f.LinkageName = from.LinkageName
	}
	if f.DeclFile == "" {
		f.DeclFile = from.DeclFile
	}
	if f.DeclLine == 0 {
		f.DeclLine = from.DeclLine
		f.DeclCol = from.DeclCol
	}
	f.Inline |= from.Inline
	f.External = f.External || from.External
	f.NoReturn = f.NoReturn || from.NoReturn
	f.Artificial = f.Artificial || from.Artificial
}
