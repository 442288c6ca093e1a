package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// arrows is the picture of docs/architecture.md: what each public package may
// import of this module. A package that is not here has no place in the
// picture yet; give it one.
func arrows() map[string][]string {
	return map[string][]string{
		"hook":             nil,
		"elfbin":           nil,
		"debuginfod":       {"elfbin"},
		"dwarfinfo":        {"elfbin", "internal/flat"},
		"flow":             {"elfbin"},
		"sites":            {"hook", "elfbin", "dwarfinfo", "flow", "internal/flat"},
		"indexcache":       nil,
		"internal/flat":    nil,
		"kernel":           {"hook", "elfbin", "flow", "sites"},
		"kernel/btf":       {"kernel"},
		"kernel/image":     {"hook", "elfbin", "dwarfinfo", "flow", "sites", "kernel", "kernel/btf"},
		"kernel/live":      {"elfbin", "flow", "sites", "kernel", "kernel/btf"},
		"atlas":            {"elfbin", "flow", "sites", "kernel", "internal/flat"},
		"atlas/debian":     {"atlas"},
		"check":            {"hook", "elfbin", "dwarfinfo", "flow", "sites", "kernel", "kernel/core", "bpfobj", "bpfobj/loader"},
		"kernel/core":      {"kernel"},
		"bpfobj":           {"hook", "kernel", "kernel/btf", "kernel/core", "bpfobj/loader"},
		"bpfobj/loader":    nil,
		"bpfobj/bpftrace":  {"hook", "bpfobj"},
		"bpfobj/tetragon":  {"hook", "bpfobj", "internal/yamltree"},
		"report":           {"hook", "elfbin", "dwarfinfo", "flow", "sites", "kernel", "bpfobj", "bpfobj/loader", "check", "internal/counted"},
		"baseline":         {"hook", "check", "internal/yamltree"},
		"attach":           {"hook", "elfbin", "flow", "sites", "internal/bpf", "internal/unix"},
		"misses":           {"hook", "kernel", "check", "running", "internal/nesting", "internal/unix"},
		"internal/nesting": {"hook", "internal/bpf", "internal/unix"},
		"running":          {"hook", "internal/unix"},
		"bench":            {"attach", "internal/bpf", "internal/caller", "internal/unix"},
		"internal/bpf":     {"elfbin", "flow", "internal/unix"},
		"supervise":        {"hook", "elfbin", "sites", "attach", "internal/tally", "internal/unix"},
		"supervise/audit":  {"hook", "check", "running", "report", "internal/unix"},
		"internal/unix":    nil,
		"internal/counted": {"sites"},
		"internal/tally":   {"attach", "hook", "flow", "sites", "internal/counted"},
	}
}

// analysis packages give the same answer on every machine: they read what
// they are given, start nothing and ask nobody.
func analysis() []string {
	return []string{"hook", "elfbin", "dwarfinfo", "flow", "sites", "kernel", "kernel/btf", "kernel/image", "kernel/live", "kernel/core", "atlas", "atlas/debian", "bpfobj", "bpfobj/bpftrace", "bpfobj/tetragon", "bpfobj/loader", "check", "report"}
}

func banned() []string { return []string{"os/exec", "net/http", "net", "plugin", "syscall"} }

func imports(m *module) []problem {
	var found []problem
	table := arrows()
	for _, f := range m.files {
		allowed, known := table[owner(f.pkg)]
		if !known && !outside(f) {
			found = append(found, problem{file: f.name, line: 1,
				text: fmt.Sprintf("package %s has no place in the import table (internal/cmd/house/imports.go)", f.pkg)})
			continue
		}
		for _, spec := range f.ast.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			if why := f.refuse(m, name, allowed, known); why != "" {
				found = append(found, problem{file: f.name, line: m.line(spec.Pos()), text: why})
			}
		}
	}
	return found
}

// owner is the public package that a package belongs to: attach for
// attach/internal/x, dwarfinfo for dwarfinfo/dwarftest (helpers of tests).
func owner(pkg string) string {
	if i := strings.Index(pkg, "/internal/"); i >= 0 {
		return pkg[:i]
	}
	if i := strings.LastIndex(pkg, "/"); i >= 0 && forTests(pkg) {
		return pkg[:i]
	}
	return pkg
}

// forTests are packages that only tests import.
func forTests(pkg string) bool { return strings.HasSuffix(pkg, "test") }

// outside are the packages that put the others together: programs and internals.
func outside(f *file) bool {
	return f.ast.Name.Name == "main" || strings.HasPrefix(f.pkg, "internal/")
}

// refuse says why the file may not import that package, "" if it may. Tests
// of analysis packages may start compilers, but the arrows hold for them too.
func (f *file) refuse(m *module, name string, allowed []string, known bool) string {
	if strings.HasPrefix(name, "golang.org/x/sys/") && f.pkg != "internal/unix" {
		return "only internal/unix imports " + name
	}
	if !known {
		return onlineIn(f, name)
	}
	rel, ours := strings.CutPrefix(name, m.path+"/")
	switch {
	case ours && forTests(rel) && !f.test && !forTests(f.pkg):
		return fmt.Sprintf("only tests may import %s", rel)
	case ours && f.test && strings.HasPrefix(rel, "internal/"):
		return "" // test helpers
	case ours && owner(rel) != owner(f.pkg) && !slices.Contains(allowed, owner(rel)):
		return fmt.Sprintf("package %s may not import %s: the arrow goes hook -> elfbin, dwarfinfo, flow -> sites -> check -> report, and sites -> attach", f.pkg, rel)
	case !f.test && slices.Contains(analysis(), f.pkg) && slices.Contains(banned(), name):
		return fmt.Sprintf("analysis package %s may not import %s: it reads what it is given", f.pkg, name)
	}
	return onlineIn(f, name)
}

// onlineIn keeps the network in two packages: one asks, one answers.
func onlineIn(f *file, name string) string {
	if name == "net/http" && f.pkg != "debuginfod" && f.pkg != "internal/daemon" && !f.test {
		return "only debuginfod and internal/daemon may import net/http"
	}
	return ""
}
