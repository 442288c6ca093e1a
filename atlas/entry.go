package atlas

import (
	"iter"
	"slices"
	"sync"

	"github.com/surehook/surehook/kernel"
)

// Entry is one kernel of an atlas. It implements kernel.Kernel.
type Entry struct {
	a    *Atlas
	at   int // its place
	meta meta

	mods      func() ([]string, error)
	funcNames func() ([]uint32, error) // ascending
	funcs     func() (*functions, error)
	symbols   func() (*symbols, error)
	copies    func() (*copies, error)
	calls     func() (*calls, error)
	defIDs    func() ([]uint32, error)
	config    func() (map[uint32]uint32, error)
}

var _ kernel.Kernel = (*Entry)(nil)

// lazy sets up what is decoded when it is asked for, once.
func (e *Entry) lazy() {
	e.mods = sync.OnceValues(e.readModules)
	e.funcNames = sync.OnceValues(e.readFuncNames)
	e.funcs = sync.OnceValues(e.readFunctions)
	e.symbols = sync.OnceValues(e.readSymbols)
	e.copies = sync.OnceValues(e.readCopies)
	e.calls = sync.OnceValues(e.readCalls)
	e.defIDs = sync.OnceValues(func() ([]uint32, error) { return e.ids(sectDefIDs, e.a.defs.n) })
	e.config = sync.OnceValues(e.readConfig)
}

// Identity says which build it is.
func (e *Entry) Identity() kernel.Identity { return e.meta.ID }

// Missing says why a topic is not known.
func (e *Entry) Missing(t kernel.Topic) string {
	if int(t) >= len(e.meta.Unknown) {
		return "the atlas file has no facts of this kind; make it anew with surehook kernel snapshot"
	}
	return e.meta.Unknown[t]
}

// Close does nothing: the Atlas holds the file.
func (e *Entry) Close() error { return nil }

func (e *Entry) section(kind sectionKind) (*cursor, error) {
	data, err := e.a.section(kind, e.at, 0)
	return &cursor{data: data}, err
}

func (e *Entry) bad(kind sectionKind) error { return e.a.bad(kind, e.at) }

// ids reads a list of numbers in a pool.
func (e *Entry) ids(kind sectionKind, limit int) ([]uint32, error) {
	c, err := e.section(kind)
	if err != nil {
		return nil, err
	}
	list := make([]uint32, 0, len(c.data)) // each takes a byte or more, mostly one
	near := mark{}
	for !c.bad && len(c.data) > 0 {
		v := near.value(c.signed())
		if v < 0 || v >= int64(limit) {
			c.bad = true
			break
		}
		list = append(list, uint32(v))
	}
	if !c.done() {
		return nil, e.bad(kind)
	}
	return list, nil
}

// list decodes the records that a kernel has of a pool.
func list[T any](e *Entry, kind sectionKind, p *pool, get func(id uint32) (T, error)) ([]T, error) {
	ids, err := e.ids(kind, p.n)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(ids))
	for i, id := range ids {
		if out[i], err = get(id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Tracepoints gives the trace events.
func (e *Entry) Tracepoints() ([]kernel.Tracepoint, error) {
	return list(e, sectEventIDs, &e.a.events, func(id uint32) (kernel.Tracepoint, error) {
		if have, ok := e.a.decoded.Load(id); ok {
			t := have.(kernel.Tracepoint)
			t.Fields = slices.Clip(t.Fields)
			return t, nil
		}
		t, err := record(e.a, &e.a.events, id, codeEvent)
		if err == nil {
			e.a.decoded.Store(id, t)
		}
		return t, err
	})
}

// RawTracepoints gives the static points.
func (e *Entry) RawTracepoints() ([]kernel.RawTracepoint, error) {
	return list(e, sectPointIDs, &e.a.points, func(id uint32) (kernel.RawTracepoint, error) { return record(e.a, &e.a.points, id, codePoint) })
}

// LSMHooks gives the security hooks.
func (e *Entry) LSMHooks() ([]kernel.LSMHook, error) {
	return list(e, sectHookIDs, &e.a.hooks, func(id uint32) (kernel.LSMHook, error) { return record(e.a, &e.a.hooks, id, codeHook) })
}

// Kfuncs gives the functions that BPF programs may call.
func (e *Entry) Kfuncs() ([]string, error) {
	c, err := e.section(sectKfuncs)
	if err != nil {
		return nil, err
	}
	var out []string
	for !c.bad && len(c.data) > 0 {
		s, err := e.a.names.At(c.next())
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if !c.done() {
		return nil, e.bad(sectKfuncs)
	}
	return out, nil
}

// Definitions gives the definitions of a name.
func (e *Entry) Definitions(name string) ([]kernel.Definition, error) {
	id, ok, err := e.a.names.find(name)
	if err != nil || !ok {
		return nil, err
	}
	names, err := e.a.defNames()
	if err != nil {
		return nil, err
	}
	ids, err := e.defIDs()
	if err != nil {
		return nil, err
	}
	var out []kernel.Definition
	for _, d := range ids {
		if names[d] == id {
			v, err := record(e.a, &e.a.defs, d, codeDefinition)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// Config gives a configuration option.
func (e *Entry) Config(option string) (string, kernel.Answer, error) {
	if e.Missing(kernel.Config) != "" {
		return "", kernel.NotKnown, nil
	}
	options, err := e.config()
	if err != nil {
		return "", kernel.NotKnown, err
	}
	id, ok, err := e.a.names.find(option)
	if err != nil {
		return "", kernel.NotKnown, err
	}
	v, set := options[id]
	if !ok || !set {
		return "", kernel.No, nil
	}
	value, err := e.a.names.get(v)
	return value, kernel.Yes, err
}

func (e *Entry) readConfig() (map[uint32]uint32, error) {
	c, err := e.section(sectConfig)
	if err != nil {
		return nil, err
	}
	m := map[uint32]uint32{}
	for !c.bad && len(c.data) > 0 {
		k := uint32(c.int(e.a.names.n))
		m[k] = uint32(c.int(e.a.names.n))
	}
	if !c.done() {
		return nil, e.bad(sectConfig)
	}
	return m, nil
}

func (e *Entry) readModules() ([]string, error) {
	c, err := e.section(sectModules)
	if err != nil {
		return nil, err
	}
	var mods []string
	for !c.bad && len(c.data) > 0 {
		s, err := e.a.names.At(c.next())
		if err != nil {
			return nil, err
		}
		mods = append(mods, s)
	}
	if !c.done() || len(mods) == 0 {
		return nil, e.bad(sectModules)
	}
	return mods, nil
}

func (e *Entry) readFuncNames() ([]uint32, error) {
	c, err := e.section(sectFuncNames)
	if err != nil {
		return nil, err
	}
	names := c.ascending(e.a.names.n)
	if !c.done() || len(names) != e.meta.Funcs {
		return nil, e.bad(sectFuncNames)
	}
	return names, nil
}

// Names gives all source names, sorted.
func (e *Entry) Names() (iter.Seq[string], error) {
	ids, err := e.funcNames()
	if err != nil {
		return nil, err
	}
	// The last part of the pool is sorted, and most of all: the others go between.
	cut, _ := slices.BinarySearch(ids, uint32(often()))
	between := make([]string, 0, cut)
	for _, id := range ids[:cut] {
		s, err := e.a.names.get(id)
		if err != nil {
			return nil, err
		}
		between = append(between, s)
	}
	slices.Sort(between)
	rest, err := e.a.names.each(ids[cut:])
	if err != nil {
		return nil, err
	}
	return merged(between, rest), nil
}

// merged gives two sorted lists together.
func merged(a []string, b iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		a := a
		for s := range b {
			for len(a) > 0 && a[0] < s {
				if !yield(a[0]) {
					return
				}
				a = a[1:]
			}
			if !yield(s) {
				return
			}
		}
		for _, s := range a {
			if !yield(s) {
				return
			}
		}
	}
}
