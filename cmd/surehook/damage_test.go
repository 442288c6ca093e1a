package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// damaged are files beside a program, or parts of it, that hold a part of what
// is known about it.
var damaged = []struct {
	name, script string // run in an empty directory with two sources; makes prog
	file         string // to be damaged
	sections     string // of it, as a pattern
}{
	{"dwz pair", "gcc -O2 -g -o prog one.c two.c && cp prog other && dwz -m common.dwz prog other", "common.dwz", `^\.debug_`},
	{"dwz program", "gcc -O2 -g -o prog one.c two.c && cp prog other && dwz -m common.dwz prog other", "prog", `^\.(debug_|gnu_debugaltlink)`},
	{"package", "gcc -O2 -gdwarf-4 -gsplit-dwarf -o prog one.c two.c && dwp -e prog && rm *.dwo", "prog.dwp", `^\.debug_`},
	{"gnu_debugdata", `gcc -O2 -o prog one.c two.c && nm prog --format=posix --defined-only | awk '{print $1}' >keep &&
		objcopy -S --keep-symbols=keep prog mini && xz mini && strip prog && objcopy --add-section .gnu_debugdata=mini.xz prog`, "prog", `^\.gnu_debugdata$`},
}

// TestDamagedParts: whatever is wrong with them, the command ends without a
// panic, and either says what is wrong and where, or what it does not know.
func TestDamagedParts(t *testing.T) {
	for _, tt := range damaged {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			sources, err := filepath.Abs("../../dwarfinfo/testdata")
			if err != nil {
				t.Fatal(err)
			}
			script := exec.Command("sh", "-ec", fmt.Sprintf("cp %s/*.c %s/*.h . && %s", sources, sources, tt.script))
			script.Dir = dir
			if out, err := script.CombinedOutput(); err != nil {
				t.Skipf("the tools for it are not here: %v: %s", err, out)
			}
			path := filepath.Join(dir, tt.file)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, _, code := sitesOf(t, dir)
			if code != 0 {
				t.Fatal("undamaged: exit ", code)
			}
			for what, bad := range damages(t, good, tt.sections) {
				os.Remove(path) // others may have it open, or be links to it
				if err := os.WriteFile(path, bad, 0o755); err != nil {
					t.Fatal(err)
				}
				honest(t, what, dir, want)
			}
		})
	}
}

// unnoticed is damage that may read as something else that is right.
const unnoticed = "zeros"

// honest runs the command on a damaged program.
func honest(t *testing.T, what, dir, want string) {
	t.Helper()
	got, errs, code := sitesOf(t, dir)
	switch {
	case code == exitUsage:
		if !strings.Contains(errs, dir) || !strings.Contains(errs, "offset 0x") {
			t.Errorf("%s: the error names no file or no place: %s", what, errs)
		}
	case code != 0:
		t.Errorf("%s: exit %d: %s", what, code, errs)
	case strings.Contains(what, unnoticed) && !strings.HasPrefix(what, ".debug_line_str"):
		// Zeros are the offsets of other names: nobody can tell.
	case !doubtful(got, want):
		t.Errorf("%s: another answer, for sure:\n%s\nundamaged:\n%s", what, got, want)
	}
}

// doubtful tells whether what differs from the undamaged answer is said not to
// be known; for functions that are missing others must be it that were not.
func doubtful(got, want string) bool {
	known, doubts := map[string]bool{}, 0
	for line := range strings.Lines(want) {
		known[line] = true
	}
	for line := range strings.Lines(got) {
		switch {
		case known[line]:
			delete(known, line)
		case strings.Contains(line, " unknown "):
			doubts++
		default:
			return false
		}
	}
	return len(known) == 0 || doubts > 0
}

// sitesOf gives function, verdict of the plan and number of sites of all
// functions of prog.
func sitesOf(t *testing.T, dir string) (text, errs string, code int) {
	t.Helper()
	var out, complaint bytes.Buffer
	code = run([]string{"sites", "--no-cache", "--format", "json", "uprobe:" + filepath.Join(dir, "prog") + ":*"},
		streams{in: strings.NewReader(""), out: &out, err: &complaint})
	var b strings.Builder
	for line := range strings.Lines(out.String()) {
		var r struct {
			Function string
			Plan     struct{ Verdict string }
			Sites    []json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %d\n", r.Function, r.Plan.Verdict, len(r.Sites))
	}
	return b.String(), complaint.String(), code
}

// damages cuts a file off, and overwrites its sections that match in part and whole.
func damages(t *testing.T, good []byte, sections string) map[string][]byte {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"cut off": good[:len(good)/2], "a header alone": good[:64], "empty": {}}
	match := regexp.MustCompile(sections)
	for _, s := range f.Sections {
		if !match.MatchString(s.Name) || s.FileSize == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		for fill, name := range map[byte]string{0: unnoticed, 0xff: "ones", 0x81: "0x81"} {
			for _, from := range []uint64{0, s.FileSize / 2} {
				bad := bytes.Clone(good)
				for i := s.Offset + from; i < s.Offset+s.FileSize; i++ {
					bad[i] = fill
				}
				out[fmt.Sprintf("%s: %s from %#x on", s.Name, name, from)] = bad
			}
		}
	}
	return out
}
