package dwarfinfo

import (
	"os/exec"
	"strings"
	"testing"
)

// -fdebug-types-section moves types into units of their own, where the names
// of the scopes of methods then are. Nothing of what is told of a program may
// change by it.
func TestTypeUnits(t *testing.T) {
	for _, compiler := range []string{"g++", "clang++"} {
		path, err := exec.LookPath(compiler)
		if err != nil {
			t.Run(compiler, func(t *testing.T) { t.Skip("no " + compiler + " on this machine") })
			continue
		}
		for _, flags := range []string{"-O2 -gdwarf-5", "-O2 -gdwarf-4"} {
			t.Run(compiler+" "+flags, func(t *testing.T) {
				facts := func(bin string, links Links) string {
					return strings.ReplaceAll(factsOf(t, bin, links), " -fdebug-types-section", "")
				}
				sources := []string{"one.cc", "two.cc"}
				want := facts(buildIn(t, path, flags, sources), Links{})
				flags += " -fdebug-types-section"
				check(t, "types", want, facts(buildIn(t, path, flags, sources), Links{}))
				bin := buildIn(t, path, flags+" -gsplit-dwarf", sources)
				check(t, ".dwo", want, facts(bin, dwoLinks()))
				for _, tool := range []string{"dwp", "llvm-dwp"} {
					if pkg := packageOf(t, tool, bin); pkg != "" {
						check(t, tool, want, facts(bin, Links{Package: func() (Source, string) { return elfSource{openELF(t, pkg)}, pkg }}))
					}
				}
			})
		}
	}
}
