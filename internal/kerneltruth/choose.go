package kerneltruth

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/surehook/surehook/kernel"
)

// Seed of the choice. It was fixed before the first run.
const Seed = 20261125

// Class of the functions that are tried.
type Class string

// The classes.
const (
	Plain     Class = "plain"
	Selective Class = "selectively inlined"
	Full      Class = "fully inlined"
	Clones    Class = "clone only"
	Duplicate Class = "duplicate"
	Notrace   Class = "notrace or blacklisted"
	Absent    Class = "absent"
)

// quotas are how many functions of each class are tried, of those there are.
func quotas() []struct {
	class Class
	n     int
} {
	return []struct {
		class Class
		n     int
	}{{Plain, 60}, {Selective, 45}, {Full, 30}, {Clones, 30}, {Duplicate, 25}, {Notrace, 30}, {Absent, 20}}
}

// Chosen is a function to be tried.
type Chosen struct {
	Name  string
	Class Class
}

// Choose takes functions of a kernel by the seed, and names that it has not:
// those of another kernel.
func Choose(k, other kernel.Kernel) ([]Chosen, error) {
	byClass := map[Class][]string{}
	names, err := k.Names()
	if err != nil {
		return nil, err
	}
	for name := range names {
		f, ok, err := k.Function(name)
		if err != nil {
			return nil, err
		}
		if ok {
			c := classOf(&f)
			byClass[c] = append(byClass[c], name)
		}
	}
	names, err = other.Names()
	if err != nil {
		return nil, err
	}
	for name := range names {
		if _, ok, err := k.Function(name); err != nil {
			return nil, err
		} else if !ok {
			byClass[Absent] = append(byClass[Absent], name)
		}
	}
	var out []Chosen
	for _, q := range quotas() {
		list := byClass[q.class]
		r := rand.New(rand.NewPCG(Seed, uint64(len(q.class))))
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, n := range list[:min(q.n, len(list))] {
			out = append(out, Chosen{n, q.class})
		}
	}
	slices.SortStableFunc(out, func(a, b Chosen) int { return cmp.Compare(a.Class, b.Class) })
	return out, nil
}

// classOf sorts a function into one class. Code of modules and that which is
// freed after boot is in none.
func classOf(f *kernel.Function) Class {
	bodies := 0
	refused := false
	for _, s := range f.Symbols {
		if s.Module != "" || s.Init {
			return ""
		}
		if s.Kind == kernel.Body {
			bodies++
			refused = refused || s.Refused == kernel.Yes || s.Traceable == kernel.No
		}
	}
	switch c := f.Class(); {
	case bodies > 1:
		return Duplicate
	case refused:
		return Notrace
	case c == kernel.Plain:
		return Plain
	case c == kernel.Selective:
		return Selective
	case c == kernel.Full:
		return Full
	case c == kernel.CloneOnly:
		return Clones
	}
	return ""
}
