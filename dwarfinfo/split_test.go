package dwarfinfo

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// -gsplit-dwarf moves debug information into .dwo files, dwp gathers these in
// a package. Nothing of what is told of a program may change by it. C++ is in
// TestTypeUnits.
func TestSplitPrograms(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang"} {
		path, err := exec.LookPath(compiler)
		if err != nil {
			t.Run(compiler, func(t *testing.T) { t.Skip("no " + compiler + " on this machine") })
			continue
		}
		sources := []string{"one.c", "two.c"}
		for _, flags := range []string{"-O2 -gdwarf-5", "-O2 -gdwarf-4 -ffunction-sections"} {
			t.Run(compiler+" "+flags, func(t *testing.T) {
				want := factsOf(t, buildIn(t, path, flags, sources), Links{})
				bin := buildIn(t, path, flags+" -gsplit-dwarf", sources)
				check(t, ".dwo", want, factsOf(t, bin, dwoLinks()))
				for _, tool := range []string{"dwp", "llvm-dwp"} {
					pkg := packageOf(t, tool, bin)
					if pkg == "" {
						continue
					}
					check(t, tool, want, factsOf(t, bin, Links{Package: func() (Source, string) { return elfSource{openELF(t, pkg)}, pkg }}))
				}
				if strings.HasPrefix(compiler, "clang") {
					bin = buildIn(t, path, flags+" -gsplit-dwarf -fsplit-dwarf-inlining", sources)
					check(t, "inlining in the skeleton", want, factsOf(t, bin, dwoLinks()))
				}
			})
		}
	}
}

// buildIn compiles in a directory of its own, where .dwo files are left.
func buildIn(t *testing.T, compiler, flags string, sources []string) string {
	t.Helper()
	dir := t.TempDir()
	args := append(strings.Fields(flags), "-o", "bin")
	for _, s := range sources {
		abs, err := filepath.Abs(filepath.Join("testdata", s))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, abs)
	}
	cmd := exec.Command(compiler, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PWD="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("%s cannot build this here: %v\n%s", compiler, err, out)
	}
	return filepath.Join(dir, "bin")
}

// dwoLinks finds .dwo files where the compiler has put them.
func dwoLinks() Links {
	return Links{Split: func(u SplitUnit, take func(Source, string) error) error {
		path := filepath.Join(u.Dir, u.Name)
		f, err := openFile(path)
		if err != nil {
			return err
		}
		defer f.f.Close()
		return take(f, path)
	}}
}

// packageOf makes a package with a tool, "" where it cannot.
func packageOf(t *testing.T, tool, bin string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Log("no " + tool + " on this machine")
		return ""
	}
	pkg := filepath.Join(filepath.Dir(bin), tool+".dwp")
	cmd := exec.Command(path, "-e", bin, "-o", pkg)
	cmd.Dir = filepath.Dir(bin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("%s cannot do this here: %v\n%s", tool, err, out)
		return ""
	}
	return pkg
}

// What is not found is said with the place, and the rest is read.
func TestSplitMissing(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang"} {
		path, err := exec.LookPath(compiler)
		if err != nil {
			t.Skip("no " + compiler + " on this machine")
		}
		bin := buildIn(t, path, "-O2 -g -gsplit-dwarf", []string{"one.c", "two.c"})
		links := dwoLinks()
		find := links.Split
		for what, split := range map[string]func(SplitUnit, func(Source, string) error) error{
			"missing": func(u SplitUnit, take func(Source, string) error) error {
				if strings.Contains(u.Name, "two") {
					return errors.New("/there/two.dwo does not exist")
				}
				return find(u, take)
			},
			"other unit's": func(u SplitUnit, take func(Source, string) error) error {
				u.Name = strings.Replace(u.Name, "two", "one", 1)
				if err := find(u, take); err != nil {
					return err
				}
				return nil
			},
		} {
			links.Split = split
			d, err := LoadLinked(elfSource{openELF(t, bin)}, links)
			if err != nil || len(d.Gaps) != 1 || d.Gaps[0].Kind != GapSplit || !strings.Contains(d.Gaps[0].Detail, "two.dwo: ") {
				t.Fatalf("%s: %v, gaps %v", what, err, d.Gaps)
			}
			main := 0
			for i := range d.Funcs {
				if d.Funcs[i].Name == "main" && len(d.Funcs[i].Ranges) > 0 {
					main++
				}
			}
			if main != 1 {
				t.Errorf("%s: %d bodies of main", what, main)
			}
		}
	}
}
