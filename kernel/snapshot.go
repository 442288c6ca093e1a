package kernel

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"
)

// Snapshot is a kernel whose facts are all in memory. Fill it, call Sort, then
// ask it; it must not change any more. It implements Kernel.
type Snapshot struct {
	ID        Identity
	Unknown   [NumTopics]string // why a topic is missing, "" if it is not
	Functions []Function        // by Name
	Events    []Tracepoint      // by System, Name, Module
	Raws      []RawTracepoint   // by Name, Module
	Hooks     []LSMHook         // by Name
	BPFFuncs  []string          // kfuncs, sorted
	Edges     []Call            // as MergeCalls has them
	Defs      []Definition      // by Name, Kind; several may share both
	Options   map[string]string // configuration: what is set

	once     sync.Once
	bySymbol map[string]int32   // index in Functions
	callers  map[string][]int32 // indices in Edges by Callee
}

// Sort brings the lists into the order that the methods need.
func (s *Snapshot) Sort() {
	slices.SortStableFunc(s.Functions, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	for i := range s.Functions {
		f := &s.Functions[i]
		slices.SortFunc(f.Symbols, func(a, b Symbol) int {
			return cmp.Or(strings.Compare(a.Module, b.Module), cmp.Compare(a.Address, b.Address), strings.Compare(a.Name, b.Name))
		})
		slices.SortStableFunc(f.Copies, func(a, b Copy) int {
			return cmp.Or(strings.Compare(a.Module, b.Module), cmp.Compare(a.Address, b.Address))
		})
	}
	slices.SortFunc(s.Events, func(a, b Tracepoint) int {
		return cmp.Or(strings.Compare(a.System, b.System), strings.Compare(a.Name, b.Name), strings.Compare(a.Module, b.Module))
	})
	slices.SortFunc(s.Raws, func(a, b RawTracepoint) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Module, b.Module))
	})
	slices.SortFunc(s.Hooks, func(a, b LSMHook) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(s.BPFFuncs)
	s.BPFFuncs = slices.Compact(s.BPFFuncs)
	s.Edges = MergeCalls(s.Edges)
	slices.SortStableFunc(s.Defs, func(a, b Definition) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
}

// CompareCalls orders calls as Snapshot.Edges are.
func CompareCalls(a, b Call) int {
	return cmp.Or(strings.Compare(a.Caller, b.Caller), strings.Compare(a.CallerModule, b.CallerModule),
		strings.Compare(a.Callee, b.Callee), strings.Compare(a.CalleeModule, b.CalleeModule))
}

// MergeCalls sorts calls and puts equal ones together, which are made as the one
// of them that is made most surely.
func MergeCalls(list []Call) []Call {
	slices.SortFunc(list, func(a, b Call) int { return cmp.Or(CompareCalls(a, b), cmp.Compare(b.Made, a.Made)) })
	return slices.CompactFunc(list, func(a, b Call) bool { return CompareCalls(a, b) == 0 })
}

// index makes what is looked up by other keys than the lists are sorted by.
func (s *Snapshot) index() {
	s.once.Do(func() {
		s.bySymbol, s.callers = map[string]int32{}, map[string][]int32{}
		for i, f := range s.Functions {
			for _, y := range f.Symbols {
				s.bySymbol[y.Name] = int32(i)
			}
		}
		for i, e := range s.Edges {
			s.callers[e.Callee] = append(s.callers[e.Callee], int32(i))
		}
	})
}

// Identity says which build it is.
func (s *Snapshot) Identity() Identity { return s.ID }

// Missing says why a topic is not known.
func (s *Snapshot) Missing(t Topic) string {
	if t >= NumTopics {
		return "not a topic"
	}
	return s.Unknown[t]
}

// Function gives the facts on a source name.
func (s *Snapshot) Function(name string) (Function, bool, error) {
	i, ok := slices.BinarySearchFunc(s.Functions, name, func(f Function, n string) int { return strings.Compare(f.Name, n) })
	if !ok {
		return Function{}, false, nil
	}
	return s.Functions[i], true, nil
}

// Symbol gives the source name behind a symbol.
func (s *Snapshot) Symbol(name string) (string, bool, error) {
	s.index()
	i, ok := s.bySymbol[name]
	if !ok {
		return "", false, nil
	}
	return s.Functions[i].Name, true, nil
}

// Names gives all source names, sorted.
func (s *Snapshot) Names() (iter.Seq[string], error) {
	return func(yield func(string) bool) {
		for i := range s.Functions {
			if !yield(s.Functions[i].Name) {
				return
			}
		}
	}, nil
}

// Callers gives the direct calls of a symbol.
func (s *Snapshot) Callers(symbol string) ([]Call, error) {
	s.index()
	var out []Call
	for _, i := range s.callers[symbol] {
		out = append(out, s.Edges[i])
	}
	return out, nil
}

// CountCallers is how many direct calls of a symbol there are.
func (s *Snapshot) CountCallers(symbol string) (int, error) {
	s.index()
	return len(s.callers[symbol]), nil
}

// Callees gives the direct calls that a symbol makes.
func (s *Snapshot) Callees(symbol string) ([]Call, error) {
	return equalRange(s.Edges, symbol, func(c Call) string { return c.Caller }), nil
}

// Tracepoints gives the trace events.
func (s *Snapshot) Tracepoints() ([]Tracepoint, error) { return s.Events, nil }

// RawTracepoints gives the static points.
func (s *Snapshot) RawTracepoints() ([]RawTracepoint, error) { return s.Raws, nil }

// LSMHooks gives the security hooks.
func (s *Snapshot) LSMHooks() ([]LSMHook, error) { return s.Hooks, nil }

// Kfuncs gives the functions that BPF programs may call.
func (s *Snapshot) Kfuncs() ([]string, error) { return s.BPFFuncs, nil }

// Definitions gives the definitions of a name.
func (s *Snapshot) Definitions(name string) ([]Definition, error) {
	return equalRange(s.Defs, name, func(d Definition) string { return d.Name }), nil
}

// Config gives a configuration option.
func (s *Snapshot) Config(option string) (string, Answer, error) {
	if s.Missing(Config) != "" {
		return "", NotKnown, nil
	}
	value, ok := s.Options[option]
	return value, Is(ok), nil
}

// Close does nothing.
func (s *Snapshot) Close() error { return nil }

// equalRange gives the elements of a sorted list with a key.
func equalRange[T any](list []T, key string, of func(T) string) []T {
	low, _ := slices.BinarySearchFunc(list, key, func(e T, k string) int { return strings.Compare(of(e), k) })
	high := low
	for high < len(list) && of(list[high]) == key {
		high++
	}
	return list[low:high]
}
