package misses

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/running"
)

var update = flag.Bool("update", false, "rewrite golden files")

// samples are two of the same programs, two seconds apart.
func samples() (before, after *Sample) {
	program := func(id uint32, name, place string, runs, missed uint64, known Known) Program {
		return Program{
			ID: id, Name: name, Type: running.Kprobe, Hooks: []Hook{{Kind: hook.Kprobe, Places: []string{place}}},
			Owners: []string{"12 (agent)"}, Runs: Runs{N: runs}, Attach: Count{N: missed, Known: Exact}, Total: Count{N: missed, Known: known, Why: "why"},
		}
	}
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	before = &Sample{Time: at, Programs: []Program{
		program(3, "reads", "kprobe:vfs_read", 100, 10, Exact), program(5, "writes", "kprobe:vfs_write", 100, 0, Exact),
	}}
	after = &Sample{Time: at.Add(2 * time.Second), Programs: []Program{
		program(3, "reads", "kprobe:vfs_read", 300, 11, Exact), program(5, "writes", "kprobe:vfs_write", 100, 9, AtLeast),
		program(7, "lost\x1b[2J", "kprobe:f", 0, 0, NotObservable),
	}}
	return before, after
}

// TestView types keys and looks at the frames.
func TestView(t *testing.T) {
	before, after := samples()
	rates := Rates(before, after)
	var b strings.Builder
	for _, keys := range []string{"", "i", "n", "m", "e", "/vfs_w\n", "/zz\x7f\x1b", "ijjjjj"} {
		var v View
		for _, k := range []byte(keys) {
			if v.Key(k) {
				t.Errorf("%q ends the view", keys)
			}
		}
		b.WriteString("-- keys: " + strings.NewReplacer("\n", "Enter", "\x7f", "Back", "\x1b", "Esc").Replace(keys) + " --\n")
		rows := 8
		if strings.Contains(keys, "j") {
			rows = 5 // room for one
		}
		lines := v.Frame(after, rates, rows, 150)
		if len(lines) != rows {
			t.Errorf("%q: %d lines on a screen of %d", keys, len(lines), rows)
		}
		for _, l := range lines {
			b.WriteString(strings.TrimRight(l, " ") + "\n")
		}
	}
	golden(t, "testdata/view.golden", b.String())
	if v := new(View); !v.Key('q') {
		t.Error("q does not end the view")
	}
}

// TestSmallScreen: a frame has no more lines and columns than the screen.
func TestSmallScreen(t *testing.T) {
	_, after := samples()
	for rows := range 8 {
		for _, columns := range []int{0, 1, 20} {
			lines := new(View).Frame(after, nil, rows, columns)
			if len(lines) > max(rows, 1) {
				t.Errorf("%d lines on a screen of %d", len(lines), rows)
			}
			for _, l := range lines {
				if n := len([]rune(l)); n > max(columns, 1) {
					t.Errorf("%d characters on a screen of %d: %q", n, columns, l)
				}
			}
		}
	}
}

func TestText(t *testing.T) {
	before, after := samples()
	var b strings.Builder
	if err := WriteText(&b, after, Rates(before, after)); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(&b, after, Rates(before, after), nil); err != nil {
		t.Fatal(err)
	}
	if err := WriteText(&b, &Sample{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := WriteTest(&b, tested(t)); err != nil {
		t.Fatal(err)
	}
	if err := WriteTestJSON(&b, tested(t)); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/text.golden", b.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s, with -want +got (-update rewrites it):\n%s", file, diff)
	}
}
