package dwarfinfo

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
)

// elfSource reads sections with the standard library, for tests only.
type elfSource struct{ f *elf.File }

func (s elfSource) Section(name string) ([]byte, error) {
	if strings.HasSuffix(name, ".dwo") { // COMDAT type units have sections of their own
		var all []byte
		for _, sec := range s.f.Sections {
			if sec.Name == name {
				b, err := sec.Data()
				if err != nil {
					return nil, err
				}
				all = append(all, b...)
			}
		}
		return all, nil
	}
	sec := s.f.Section(name)
	if sec == nil || sec.Type == elf.SHT_NOBITS {
		return nil, nil
	}
	return sec.Data()
}

// The flags that change how debug information is written.
var (
	cFlags = []string{"-O2 -gdwarf-5", "-O2 -gdwarf-4", "-O3 -gdwarf-5 -flto", "-O2 -gdwarf-4 -flto",
		"-O2 -gdwarf-2", "-O0 -g", "-O2 -gdwarf-5 -gdwarf64", "-O2 -g -ffunction-sections -gstrict-dwarf"}
	cxxFlags = []string{"-O2 -gdwarf-5", "-O3 -gdwarf-4 -flto", "-O2 -gdwarf-5 -fdebug-types-section"}
)

// TestAgainstStandardLibrary compares compiled programs with what debug/dwarf
// says of them, entry by entry.
func TestAgainstStandardLibrary(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang", "g++", "clang++"} {
		path, err := exec.LookPath(compiler)
		if err != nil {
			t.Run(compiler, func(t *testing.T) { t.Skip("no " + compiler + " on this machine") })
			continue
		}
		sources, flagSets := []string{"one.c", "two.c"}, cFlags
		if strings.HasSuffix(compiler, "++") {
			sources, flagSets = []string{"one.cc", "two.cc"}, cxxFlags
		}
		for _, flags := range flagSets {
			t.Run(compiler+" "+flags, func(t *testing.T) {
				bin := build(t, path, flags, sources)
				if strings.Contains(flags, "-gdwarf64") && strings.HasPrefix(compiler, "clang") {
					compareWithOther(t, bin, build(t, path, "-O2 -gdwarf-5", sources))
					return // the standard library does not read its string offsets
				}
				compareWithStd(t, bin)
			})
		}
	}
}

func build(t *testing.T, compiler, flags string, sources []string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bin")
	args := append(strings.Fields(flags), "-o", bin)
	for _, s := range sources {
		args = append(args, filepath.Join("testdata", s))
	}
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Skipf("%s cannot build this here: %v\n%s", compiler, err, out)
	}
	return bin
}

// compareWithOther compares two builds whose debug information only differs
// in how it is written.
func compareWithOther(t *testing.T, a, b string) {
	t.Helper()
	var texts [2][]string
	for i, path := range []string{a, b} {
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := loadWhole(t, elfSource{f})
		for _, fn := range d.Funcs {
			texts[i] = append(texts[i], fn.Name+" "+fn.Scope+" "+fn.DeclFile+ranges(fn.Ranges))
		}
		for _, c := range d.Copies {
			texts[i] = append(texts[i], d.Funcs[c.Origin].Name+" "+c.CallFile+ranges(c.Ranges))
		}
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" || len(texts[0]) == 0 {
		t.Error(diff)
	}
}

// Go writes its own debug information.
func TestAgainstStandardLibraryGo(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "bin")
	cmd := exec.Command("go", "build", "-o", bin, "./testdata/gomain")
	cmd.Env = append(os.Environ(), "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("go cannot build here: %v\n%s", err, out)
	}
	compareWithStd(t, bin)
}

// TestAgainstStandardLibraryFiles compares any files named in the environment.
func TestAgainstStandardLibraryFiles(t *testing.T) {
	files := filepath.SplitList(os.Getenv("SUREHOOK_ORACLE_FILES"))
	if len(files) == 0 {
		t.Skip("SUREHOOK_ORACLE_FILES names no file")
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) { compareWithStd(t, f) })
	}
}

func compareWithStd(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ours := loadWhole(t, elfSource{f})
	sameWithoutCalls(t, elfSource{f}, ours)
	std, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	want := readWithStd(t, std)
	got := facts{}
	for i := range ours.Funcs {
		fn := &ours.Funcs[i]
		got.funcs = append(got.funcs, fmt.Sprintf("%#x %s %s %s decl %d external %v declaration %v noreturn %v", fn.Offset,
			fn.Name, fn.LinkageName, ranges(fn.Ranges), fn.DeclLine, fn.External, fn.Declaration, fn.NoReturn))
	}
	for i := range ours.Copies {
		c := &ours.Copies[i]
		got.copies = append(got.copies, fmt.Sprintf("%#x of %s in %s parent %#x %s entry %#x %v call %d:%d", c.Offset, ours.Funcs[c.Origin].Name,
			ours.Funcs[c.Func].Name, ours.parentOffset(c), ranges(c.Ranges), c.EntryPC, c.HasEntry, c.CallLine, c.CallCol))
	}
	sort.Strings(got.copies)
	for i := range ours.Calls {
		c := &ours.Calls[i]
		got.calls = append(got.calls, fmt.Sprintf("%#x %#x %v", c.PC, c.CallPC, c.Tail))
	}
	got.readLines(t, ours)
	for _, diff := range []string{
		cmp.Diff(want.funcs, got.funcs), cmp.Diff(want.copies, got.copies),
		cmp.Diff(want.calls, got.calls), cmp.Diff(want.lines, got.lines),
	} {
		if diff != "" {
			t.Errorf("standard library (-), here (+):\n%.4000s", diff)
		}
	}
	if len(want.funcs) == 0 || len(want.lines) == 0 {
		t.Error("the program has no functions: nothing was compared")
	}
	t.Logf("%d functions, %d copies, %d calls", len(got.funcs), len(got.copies), len(got.calls))
}

// facts are what both readers are asked for, as lines that diff well.
type facts struct {
	funcs, copies, calls []string
	lines                [][]string // by unit that has any
}

func (d *Data) parentOffset(c *Copy) uint64 {
	if c.Parent < 0 {
		return 0
	}
	return d.Copies[c.Parent].Offset
}

func (f *facts) readLines(t *testing.T, d *Data) {
	t.Helper()
	for i := range d.Units {
		table, err := d.Lines(int32(i))
		if errors.Is(err, ErrNoLines) {
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		var rows []string
		for _, r := range table.Rows {
			rows = append(rows, rowText(r.Addr, table.Files[r.File], int(r.Line), int(r.Column), r.IsStmt, r.EndSeq))
		}
		sort.Strings(rows)
		f.lines = append(f.lines, rows)
	}
}

// rowText compares files by their last part: the standard library does not
// clean paths.
func rowText(addr uint64, file string, line, col int, stmt, end bool) string {
	if end {
		return fmt.Sprintf("%#x end", addr)
	}
	return fmt.Sprintf("%#x %s:%d:%d %v", addr, filepath.Base(file), line, col, stmt)
}

func ranges(rs []elfbin.Range) string {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "[%#x,%#x)", r.Low, r.High)
	}
	return b.String()
}
