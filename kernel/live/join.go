package live

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// Same tells whether two identities are of one build: the build ids decide
// where both are known, else release and banner must agree.
func Same(a, b kernel.Identity) bool {
	if a.BuildID != "" && b.BuildID != "" {
		return a.BuildID == b.BuildID
	}
	return a.Release == b.Release && a.Banner != "" && a.Banner == b.Banner
}

// joined is the running kernel with what a file knows of its build.
type joined struct {
	*Kernel
	file kernel.Kernel
}

// Join adds the inlined copies, sources and calls that a file or an atlas
// entry knows. The two must be of the Same build. What the running kernel says
// itself, which modules are loaded for one, goes before.
func Join(k *Kernel, file kernel.Kernel) kernel.Kernel { return &joined{k, file} }

// Identity says where the rest is from.
func (j *joined) Identity() kernel.Identity {
	id := j.Kernel.Identity()
	id.Source += ", joined with " + j.file.Identity().Source
	if id.Package == "" {
		id.Package = j.file.Identity().Package
	}
	return id
}

// Missing says why a topic is not known, "" if one of the two knows it.
func (j *joined) Missing(t kernel.Topic) string {
	why := j.Kernel.Missing(t)
	switch t {
	case kernel.Inlining, kernel.Calls, kernel.ModuleCalls, kernel.CertainCalls:
		return j.file.Missing(t)
	case kernel.Ftrace, kernel.Blacklist, kernel.Signatures:
		if why != "" {
			return j.file.Missing(t)
		}
	}
	return why
}

// Function gives the facts on a source name.
func (j *joined) Function(name string) (kernel.Function, bool, error) {
	f, ok, err := j.Kernel.Function(name)
	if err != nil {
		return f, ok, err
	}
	more, known, err := j.file.Function(name)
	if err != nil || !known {
		return f, ok, err
	}
	f.Name = name
	f.Plan, f.Sources = more.Plan, more.Sources
	if f.Copies, err = j.placed(j.loaded(more.Copies)); err != nil {
		return f, ok, err
	}
	if len(more.Protos) > 0 {
		f.Protos = more.Protos // those of BTF lack what was optimised
	}
	for i := range f.Symbols {
		fill(f.Symbols, i, more.Symbols)
	}
	return f, ok || len(f.Copies) > 0, nil
}

// loaded leaves out the copies in modules that are not loaded.
func (j *joined) loaded(copies []kernel.Copy) []kernel.Copy {
	there := map[string]bool{"": true}
	table, _ := j.symbols()
	if table == nil {
		return copies
	}
	var out []kernel.Copy
	for _, c := range copies {
		if _, asked := there[c.Module]; !asked {
			there[c.Module] = slices.ContainsFunc(table.list, func(e entry) bool { return e.Module == c.Module })
		}
		if there[c.Module] {
			out = append(out, c)
		}
	}
	return out
}

// placed gives copies the addresses that they have in the running kernel where
// only these tell them apart, as several functions have the caller's name; the
// others have none.
func (j *joined) placed(copies []kernel.Copy) ([]kernel.Copy, error) {
	copies = slices.Clone(copies)              // they are the file's
	callers := map[string][2][]kernel.Symbol{} // here, and in the file
	for i := range copies {
		c := &copies[i]
		both, asked := callers[c.Caller]
		if !asked {
			source, _, _, _ := sites.SymbolName(c.Caller)
			here, _, err := j.Kernel.Function(source)
			if err != nil {
				return nil, err
			}
			there, _, err := j.file.Function(source)
			if err != nil {
				return nil, err
			}
			both = [2][]kernel.Symbol{named(here.Symbols, c.Caller), named(there.Symbols, c.Caller)}
			callers[c.Caller] = both
		}
		linked := c.Address - c.Offset
		c.Address = 0
		if len(both[0]) < 2 {
			continue
		}
		here, there := of(both[0], c.Module), of(both[1], c.Module)
		nth := slices.IndexFunc(there, func(s kernel.Symbol) bool { return s.Address == linked })
		if nth >= 0 && len(here) == len(there) && here[nth].Address != 0 {
			c.Address = here[nth].Address + c.Offset
		}
	}
	return copies, nil
}

// named are the symbols of a name that stay after boot.
func named(list []kernel.Symbol, name string) []kernel.Symbol {
	return slices.DeleteFunc(slices.Clone(list), func(s kernel.Symbol) bool { return s.Name != name || s.Init })
}

// of are the symbols of a module.
func of(list []kernel.Symbol, module string) []kernel.Symbol {
	return slices.DeleteFunc(slices.Clone(list), func(s kernel.Symbol) bool { return s.Module != module })
}

// fill completes a running symbol from the file's: the one of that name and
// the same place among those of the name, as loading keeps their order.
func fill(symbols []kernel.Symbol, at int, from []kernel.Symbol) {
	s := &symbols[at]
	nth := 0
	for _, o := range symbols[:at] {
		if o.Name == s.Name && o.Module == s.Module {
			nth++
		}
	}
	for _, o := range from {
		if o.Name != s.Name || o.Module != s.Module {
			continue
		}
		if nth--; nth >= 0 {
			continue
		}
		s.Size, s.Args = o.Size, o.Args
		if s.Traceable == kernel.NotKnown {
			s.Traceable = o.Traceable
		}
		if s.Refused == kernel.NotKnown {
			s.Refused = o.Refused
		}
		return
	}
}

// Callers gives the direct calls of a symbol.
func (j *joined) Callers(symbol string) ([]kernel.Call, error) { return j.file.Callers(symbol) }

// CountCallers is how many direct calls of a symbol there are.
func (j *joined) CountCallers(symbol string) (int, error) { return j.file.CountCallers(symbol) }

// Callees gives the direct calls that a symbol makes.
func (j *joined) Callees(symbol string) ([]kernel.Call, error) { return j.file.Callees(symbol) }

// Config gives a configuration option; the file's where the running kernel
// has no configuration to be read.
func (j *joined) Config(option string) (string, kernel.Answer, error) {
	value, set, err := j.Kernel.Config(option)
	if err != nil || set != kernel.NotKnown {
		return value, set, err
	}
	return j.file.Config(option)
}

// DebugPaths are where distributions put the vmlinux with debug information of
// a release, below the root; that it is of the same build remains to be seen.
func DebugPaths(release string) []string {
	if release == "" || strings.Contains(release, "/") {
		return nil
	}
	return []string{
		"usr/lib/debug/boot/vmlinux-" + release, "usr/lib/debug/lib/modules/" + release + "/vmlinux",
		"usr/lib/debug/usr/lib/modules/" + release + "/vmlinux", "usr/lib/modules/" + release + "/build/vmlinux",
		"lib/modules/" + release + "/build/vmlinux", "boot/vmlinux-" + release,
	}
}
