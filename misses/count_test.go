package misses

import (
	"testing"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/running"
)

// tested are abilities as some kernels have them: that of 6.12 for kprobes and
// tracepoints, of 5.10 for kretprobes, none for kprobe.multi.
func tested(t *testing.T) *Abilities {
	t.Helper()
	in := func(kind hook.Kind, ran uint64, parts ...innerPart) nesting {
		return nesting{outer: hook.Hook{Kind: kind, Function: "f"}, ran: ran, inner: parts}
	}
	part := func(kind hook.Kind, ran, program, link uint64) innerPart {
		return innerPart{hook: hook.Hook{Kind: kind}, ran: ran, program: program, link: link}
	}
	a, err := conclude([]nesting{
		in(hook.Kprobe, 32, part(hook.Kprobe, 0, 0, 32), part(hook.Kretprobe, 0, 0, 0), part(hook.Tracepoint, 0, 32, 0), part(hook.Fentry, 32, 0, 0)),
		in(hook.KprobeMulti, 32, part(hook.Kprobe, 0, 32, 0), part(hook.Kretprobe, 0, 0, 0), part(hook.Tracepoint, 0, 32, 0)),
		in(hook.Tracepoint, 32, part(hook.Tracepoint, 0, 0, 0)),
		{outer: hook.Hook{Kind: hook.LSM}, reason: "no"},
		in(hook.RawTracepoint, 32, innerPart{hook: hook.Hook{Kind: hook.KprobeMulti}, reason: "no fprobe"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestJudge(t *testing.T) {
	a := tested(t)
	for _, c := range []struct {
		kind hook.Kind
		n    uint64
		want string
	}{
		{hook.Kprobe, 7, "7"},
		{hook.Kprobe, 0, "0"},
		{hook.Kretprobe, 0, "not observable"},
		{hook.Kretprobe, 3, "≥3"},
		{hook.Tracepoint, 0, "≥0"},
		{hook.Fentry, 0, "0"},
		{hook.KprobeMulti, 0, "not known"},
		{hook.RawTracepoint, 0, "not known"},
		{hook.LSM, 0, "not known"},
		{hook.LSM, 2, "≥2"},
		{hook.Uprobe, 0, "not observable"},
		{"", 0, "not known"},
	} {
		got := a.judge(c.kind, c.n)
		if got.String() != c.want {
			t.Errorf("%s with %d counted: %s, want %s", c.kind, c.n, got, c.want)
		}
		if (got.Why == "") != (got.Known == Exact) {
			t.Errorf("%s: %s says %q", c.kind, got, got.Why)
		}
	}
}

// TestConclude: a program that ran more often than it was reached shows a
// self-test that does not measure what it should.
func TestConclude(t *testing.T) {
	_, err := conclude([]nesting{{outer: hook.Hook{Kind: hook.Kprobe}, ran: 1, inner: []innerPart{{hook: hook.Hook{Kind: hook.Kprobe}, ran: 2}}}})
	if err == nil {
		t.Error("no error")
	}
}

func TestAccount(t *testing.T) {
	none := running.Counter{NotKnown: "none"}
	place := func(kind hook.Kind) []running.Place { return []running.Place{{Kind: kind, Name: "f"}} }
	inv := &running.Inventory{
		Programs: []running.Program{
			{ID: 1, Skipped: running.Counter{N: 5}}, {ID: 2, Skipped: running.Counter{N: 5}}, {ID: 3}, {ID: 4, Skipped: running.Counter{N: 1}},
			{ID: 5, Skipped: none}, {ID: 6},
		},
		Attachments: []running.Attachment{
			{Program: 1, Link: 1, Places: place(hook.Kprobe), Missed: running.Counter{N: 7}},
			{Program: 1, Link: 2, Places: place(hook.Kprobe), Missed: running.Counter{N: 2}},
			{Program: 2, Places: place(hook.Kprobe), Missed: none}, // a perf event without a link
			{Program: 3, Link: 3, Places: place(hook.Kprobe)},
			{Program: 3, Link: 4, Places: place(hook.Uprobe), Missed: none},
			{Program: 4, Link: 5, Places: place(hook.Fentry), Missed: none},
			{Program: 5, Link: 6, Places: place(hook.Tracepoint), Missed: none},
		},
	}
	want := map[uint32][3]string{ // attach, program, all
		1: {"9", "5", "14"},
		2: {"not observable", "5", "≥5"},
		3: {"0", "0", "not observable"},
		4: {"-", "1", "1"},
		5: {"-", "not counted", "≥0"},
		6: {"-", "0", "not known"},
	}
	for _, p := range Account(inv, tested(t), true) {
		got := [3]string{p.attachText(), selfText(&p), p.Total.String()}
		if got != want[p.ID] {
			t.Errorf("program %d: %q, want %q (%s)", p.ID, got, want[p.ID], p.Total.Why)
		}
	}
}
