package dwarfinfo

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

// dwz moves what units share into partial units of the same file, and with -m
// into another file, as Debian's and Fedora's debug packages have it. Nothing
// of what is told of a program may change by it.
func TestDwz(t *testing.T) {
	for _, compiler := range []string{"gcc", "g++", "clang++"} {
		path, err := exec.LookPath(compiler)
		if err != nil {
			t.Run(compiler, func(t *testing.T) { t.Skip("no " + compiler + " on this machine") })
			continue
		}
		sources := []string{"one.cc", "two.cc"}
		if compiler == "gcc" {
			sources = []string{"one.c", "two.c"}
		}
		for _, flags := range []string{"-O2 -gdwarf-4", "-O2 -gdwarf-5", "-O3 -gdwarf-5 -flto"} {
			if compiler == "clang++" {
				flags += " -fuse-ld=lld"
			}
			t.Run(compiler+" "+flags, func(t *testing.T) {
				bin := build(t, path, flags, sources)
				before := factsOf(t, bin, Links{})
				one := duplicate(t, bin)
				dwz(t, one)
				compareWithStd(t, one)
				check(t, "one file", before, factsOf(t, one, Links{}))
				for _, args := range [][]string{nil, {"--dwarf-5"}} {
					if args != nil && !strings.Contains(flags, "dwarf-5") {
						continue
					}
					a, b := duplicate(t, bin), duplicate(t, bin)
					alt := filepath.Join(t.TempDir(), "alt")
					dwz(t, append(args, "-m", alt, a, b)...)
					links := Links{Alt: elfSource{openELF(t, alt)}, AltPath: alt}
					check(t, fmt.Sprint("common file ", args), before, factsOf(t, a, links))
					check(t, fmt.Sprint("common file ", args), before, factsOf(t, b, links))
					withoutAlt(t, a, compiler != "gcc")
				}
			})
		}
	}
}

func check(t *testing.T, what, before, after string) {
	t.Helper()
	if len(before) < 1000 {
		t.Errorf("%s: only %d bytes of facts", what, len(before))
	}
	if before == after {
		return
	}
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] { // the first is enough, and cmp.Diff takes a minute
			t.Errorf("%s: before %d facts, after %d; the first that differ:\n- %s\n+ %s", what, len(was), len(is), was[i], is[i])
			return
		}
	}
	t.Errorf("%s: %d facts became %d", what, len(was), len(is))
}

func dwz(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("dwz")
	if err != nil {
		t.Skip("no dwz on this machine")
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Skipf("dwz cannot do this here: %v\n%s", err, out)
	}
}

func duplicate(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "bin")
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

func openELF(t *testing.T, path string) *elf.File {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// withoutAlt: what is in the alternate file is not made up. lost says that
// some functions are there.
func withoutAlt(t *testing.T, path string, lost bool) {
	t.Helper()
	d := load(t, elfSource{openELF(t, path)})
	kinds := map[GapKind]int{}
	for _, g := range d.Gaps {
		kinds[g.Kind]++
	}
	if kinds[GapAltFile] == 0 || len(kinds) != 1 {
		t.Errorf("gaps %v", d.Gaps)
	}
	for _, c := range d.Copies {
		if c.Origin < 0 {
			return
		}
	}
	if lost {
		t.Errorf("%d copies, and the origins of all are known", len(d.Copies))
	}
}

// factsOf lists what is told of a program, without the places where it is
// written.
func factsOf(t *testing.T, path string, links Links) string {
	t.Helper()
	d, err := LoadLinked(elfSource{openELF(t, path)}, links)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range d.Gaps {
		t.Errorf("gap: %v", g)
	}
	var out []string
	name := func(i int32) string {
		if i < 0 {
			return "?"
		}
		f := &d.Funcs[i]
		return fmt.Sprintf("%s::%s %s %s:%d:%d inline %d external %v noreturn %v artificial %v", f.Scope, f.Name, f.LinkageName,
			f.DeclFile, f.DeclLine, f.DeclCol, f.Inline, f.External, f.NoReturn, f.Artificial)
	}
	for i := range d.Funcs {
		if f := &d.Funcs[i]; len(f.Ranges) > 0 {
			u := &d.Units[f.Unit]
			out = append(out, fmt.Sprintf("body %s %s %#x %d copies; %s %s %s", ranges(f.Ranges), name(int32(i)), f.EntryPC,
				f.EndCopy-f.FirstCopy, u.Name, u.CompDir, u.Producer))
		}
	}
	for i := range d.Copies {
		c := &d.Copies[i]
		out = append(out, fmt.Sprintf("copy %s of %s in %s entry %#x call %s:%d:%d", ranges(c.Ranges), name(c.Origin), d.Funcs[c.Func].Name,
			c.EntryPC, c.CallFile, c.CallLine, c.CallCol))
	}
	for i := range d.Calls {
		c := &d.Calls[i]
		out = append(out, fmt.Sprintf("call %#x %#x %s in %s %v", c.PC, c.CallPC, name(c.Callee), d.Funcs[c.Func].Name, c.Tail))
	}
	for i := range d.Units {
		if table, err := d.Lines(int32(i)); err == nil {
			for _, r := range table.Rows {
				out = append(out, fmt.Sprintf("row %#x %s %d %d %v %v", r.Addr, table.Files[r.File], r.Line, r.Column, r.IsStmt, r.EndSeq))
			}
		}
	}
	sort.Strings(out)
	text := strings.Join(slices.Compact(out), "\n")
	// GCC records its options, and both where they run.
	return strings.NewReplacer(filepath.Dir(path), "DIR", " -gsplit-dwarf", "").Replace(text)
}
