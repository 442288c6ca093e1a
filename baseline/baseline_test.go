package baseline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
)

const example = `# why we have this
accepted:
  - rule: SH401
    hook: SEC("kprobe/do_open")   # another spelling
    on: [debian-5.10.*, debian-6.1.0]
    reason: only opens by path
  - rule: sh101
    hook: "uprobe:./prog:add"
    on: ./prog
    reason: "x: y"
    expires: 2026-11-25
  - rule: SH002
    file: policies/a.yaml
    reason: of the next version
`

func parsed(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("b.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func finding(t *testing.T, rule check.Code, text, kernel string) check.Finding {
	t.Helper()
	h, err := hook.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return check.Finding{Rule: rule, Severity: check.Error, Hook: h, Function: h.Function, Kernel: kernel}
}

func TestAccept(t *testing.T) {
	day := time.Date(2026, 11, 25, 23, 59, 0, 0, time.UTC)
	list := []check.Finding{
		finding(t, check.SH401, "kprobe:do_open", "debian-5.10.0-1"),
		finding(t, check.SH401, "kprobe:do_open", "debian-6.12.0"),
		finding(t, check.SH103, "kprobe:do_open", "debian-6.1.0"),
		finding(t, check.SH101, "uprobe:./prog:add", ""),
		{Rule: check.SH002, Origin: check.Origin{File: "./policies/a.yaml", Line: 7}},
	}
	u := parsed(t, example).Use(day)
	u.Accept(list)
	for i, want := range []string{"only opens by path", "", "", "x: y", "of the next version"} {
		if list[i].Accepted != want {
			t.Errorf("%d: accepted %q, want %q", i, list[i].Accepted, want)
		}
	}
	if check.Worst(list[:1]) != "" || check.Worst(list[:2]) != check.Error {
		t.Error("an accepted finding counts")
	}
	var answered []Subject
	for _, k := range []string{"debian-5.10.0-1", "debian-6.12.0", "debian-6.1.0"} {
		answered = append(answered, Subject{Hook: "kprobe:do_open", On: k})
	}
	answered = append(answered, Subject{Hook: "uprobe:./prog:add", On: "./prog"}, Subject{File: "policies/a.yaml"})
	left := u.Leftover(answered)
	if len(left) != 1 || left[0].Origin.Line != 3 || !strings.Contains(left[0].Message, "gone: from debian-6.1.0") || left[0].Rule != check.SH001 {
		t.Errorf("%+v", left)
	}
}

// TestExpired: the day after, the finding stands again, and the entry is told.
func TestExpired(t *testing.T) {
	list := []check.Finding{finding(t, check.SH101, "uprobe:./prog:add", "")}
	u := parsed(t, example).Use(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
	u.Accept(list)
	left := u.Leftover([]Subject{{Hook: "uprobe:./prog:add", On: "./prog"}})
	if list[0].Accepted != "" || len(left) != 1 || !strings.Contains(left[0].Message, "ended with 2026-11-25") {
		t.Errorf("%+v %+v", list, left)
	}
}

// TestNotAskedIsNotStale: a run on one kernel says nothing of the others.
func TestNotAskedIsNotStale(t *testing.T) {
	u := parsed(t, example).Use(time.Time{})
	if left := u.Leftover([]Subject{{Hook: "kprobe:other", On: "debian-6.1.0"}}); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	if left := u.Leftover([]Subject{{File: "policies/a.yaml"}}); len(left) != 1 || !strings.Contains(left[0].Message, "everywhere") {
		t.Errorf("%+v", left)
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"accepted:\n- rule: SH999\n  hook: kprobe:x\n  reason: y\n", `b.yaml:2:9: no rule "SH999"`},
		{"accepted:\n- rule: SH401\n  hook: kprobe:x\n", "b.yaml:2:3: accepted[0]: no reason"},
		{"accepted:\n- rule: SH401\n  hok: kprobe:x\n  reason: y\n", `b.yaml:3:3: accepted[0]: unknown field "hok"; did you mean hook?`},
		{"accepted:\n- rule: SH401\n  reason: y\n", "b.yaml:2:3: neither hook nor file"},
		{"accepted:\n- rule: SH401\n  hook: kprobe:x\n  reason: ' '\n", "b.yaml:4:11: an empty reason"},
		{"accepted:\n- rule: SH401\n  hook: nonsense\n  reason: y\n", "b.yaml:3:9: "},
		{"accepted:\n- rule: SH401\n  hook: kprobe:x\n  reason: y\n  expires: soon\n", `b.yaml:5:12: "soon" is no date`},
		{"accepted:\n- rule: SH401\n  hook: kprobe:x\n  reason: y\n  on: ['[']\n", "b.yaml:5:8: "},
		{"accepted:\n- rule: SH401\n  hook: kprobe:x\n  reason: y\n  on: {a: b}\n", "b.yaml:5:7: on: name"},
		{"accepted: [\n", "b.yaml:2:1: "},
		{"a: 1\n---\nb: 1\n", "b.yaml:3:1: a second document"},
	} {
		f, err := Parse("b.yaml", []byte(tt.text))
		var e *FormatError
		if f != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestAppend(t *testing.T) {
	list := []check.Finding{
		finding(t, check.SH401, "kprobe:a", "k1"), finding(t, check.SH401, "kprobe:a", "k2"), finding(t, check.SH401, "kprobe:a", "k2"),
		finding(t, check.SH101, `uprobe:./p[1]:"a \"b\""`, ""), {Rule: check.SH002, Origin: check.Origin{File: "x.yaml"}},
		{Rule: check.SH002, Accepted: "done", Origin: check.Origin{File: "y.yaml"}},
	}
	entries := Entries(list, "why: #not a comment")
	if len(entries) != 3 || len(entries[0].On) != 2 {
		t.Fatalf("%+v", entries)
	}
	for _, old := range []string{"", "# nothing yet\n", example, "accepted:\n", "accepted:\n- {rule: SH401, hook: 'kprobe:x', reason: y}", "accepted:\n    - rule: SH401\n      hook: kprobe:x\n      reason: y\n"} {
		text, err := Append("b.yaml", []byte(old), entries)
		if err != nil {
			t.Errorf("%q: %v", old, err)
			continue
		}
		if !strings.HasPrefix(string(text), old) {
			t.Errorf("what was there is changed:\n%s", text)
		}
		u := parsed(t, string(text)).Use(time.Time{})
		again := append([]check.Finding{}, list...)
		u.Accept(again)
		if check.Worst(again) != "" {
			t.Errorf("not all accepted:\n%s", text)
		}
	}
	for _, old := range []string{"accepted: []\n", "accepted: [{rule: SH401, hook: 'kprobe:x', reason: y}]\n", "accepted: 5\n"} {
		if text, err := Append("b.yaml", []byte(old), entries); err == nil {
			t.Errorf("%q became\n%s", old, text)
		}
	}
}

// TestAdd: the file is replaced as a whole, through links, with its mode.
func TestAdd(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(real, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Fatal(err)
	}
	entries := Entries([]check.Finding{finding(t, check.SH401, "kprobe:new", "k")}, "r")
	if err := errors.Join(Add(link, entries), Add(filepath.Join(dir, "new.yaml"), entries), Add(link, nil)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(real)
	info, _ := os.Stat(real)
	if err != nil || len(parsed(t, string(b)).Entries) != 4 || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v\n%s", err, info.Mode(), b)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
	if err := replace(real, []byte("other"), b, 0o600); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 3 {
		t.Errorf("left over: %v %v", names, err)
	}
	if err := os.WriteFile(real, []byte("broken: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Add(real, entries); err == nil {
		t.Error("written over a file that cannot be read")
	}
}

// FuzzParse: an error or a File; what is added to a File is in it.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("accepted: []\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse("b", data)
		if (got == nil) != (err != nil) {
			t.Fatal("error xor value")
		}
		if err != nil {
			return
		}
		e := Entry{Rule: check.SH401, Hook: "kprobe:x", Reason: "r"}
		if text, err := Append("b", data, []Entry{e}); err == nil && len(parsed(t, string(text)).Entries) != len(got.Entries)+1 {
			t.Fatalf("%q", text)
		}
	})
}
