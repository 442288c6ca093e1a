package flow

import (
	"slices"
	"testing"

	"github.com/surehook/surehook/elfbin"
)

// TestCertain: whether each way through a function makes one of its calls of at+0x1000.
func TestCertain(t *testing.T) {
	amd64, arm64 := elfbin.AMD64, elfbin.ARM64
	for _, c := range []struct {
		name string
		arch elfbin.Arch
		code string // at `at`
		want bool
		opts func(o *WayOptions)
	}{
		{name: "straight", arch: amd64, code: "90 e8 fa 0f 00 00 c3", want: true},
		{name: "skipped", arch: amd64, code: "74 05 e8 f9 0f 00 00 c3"},
		{name: "on both arms", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 e8 f3 0f 00 00 c3", want: true},
		{name: "on one arm", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 e8 f3 1f 00 00 c3"},
		{name: "behind an early return", arch: amd64, code: "74 01 c3 e8 f8 0f 00 00 c3"},
		{name: "in a loop that is entered", arch: amd64, code: "e8 fb 0f 00 00 75 f9 c3", want: true},
		{name: "in a loop that may be skipped", arch: amd64, code: "eb 05 e8 f9 0f 00 00 75 f9 c3"},
		{name: "behind a loop", arch: amd64, code: "ff c8 75 fc e8 f7 0f 00 00 c3", want: true},
		{name: "in a loop without end", arch: amd64, code: "e8 fb 0f 00 00 eb f9"},
		{name: "a tail call", arch: amd64, code: "90 e9 fa 0f 00 00", want: true},
		{name: "a tail call at once, or a call", arch: amd64, code: "0f 84 fa 0f 00 00 e8 f5 0f 00 00 c3", want: true},
		{name: "another tail call before", arch: amd64, code: "0f 84 fa 1f 00 00 e8 f5 0f 00 00 c3"},
		{name: "where the arms meet", arch: amd64, code: "74 05 e8 f9 1f 00 00 e8 f4 0f 00 00 c3", want: true},
		{name: "the other arm calls something else last", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 e8 f3 1f 00 00"},
		{name: "known not to come back", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 e8 f3 1f 00 00", want: true, opts: never(at + 0x2000)},
		{name: "a trap", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 0f 0b", want: true, opts: resumes(false)},
		{name: "a trap that warns", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 0f 0b c3", opts: resumes(true)},
		{name: "a trap that may be a warning", arch: amd64, code: "74 06 e8 f9 0f 00 00 c3 0f 0b c3"},
		{name: "an indirect jump before", arch: amd64, code: "74 02 ff e0 e8 f7 0f 00 00 c3"},
		{name: "an indirect jump behind", arch: amd64, code: "e8 fb 0f 00 00 ff e0", want: true},
		{name: "unreadable bytes before", arch: amd64, code: "74 01 06 e8 f8 0f 00 00 c3"},
		{name: "runs into what follows", arch: amd64, code: "74 05 e8 f9 0f 00 00 90"},
		{name: "behind a static branch", arch: amd64, code: "0f 1f 44 00 00 c3 e8 f5 0f 00 00 c3", opts: jumps(at, at+6)},
		{name: "past a static branch", arch: amd64, code: "0f 1f 44 00 00 e8 f6 0f 00 00 c3", opts: jumps(at, at+10)},
		{name: "a fault goes elsewhere", arch: amd64, code: "48 8b 00 e8 f8 0f 00 00 c3", opts: jumps(at, at+0x5000)},
		{name: "replaced", arch: amd64, code: "e8 fb 0f 00 00 c3", opts: replaced(at)},
		{name: "a replaced jump", arch: amd64, code: "eb 06 e8 f9 0f 00 00 c3 e8 f3 0f 00 00 c3", want: true, opts: replaced(at)},
		{name: "a replaced jump past it", arch: amd64, code: "eb 01 c3 e8 f8 0f 00 00 c3", opts: replaced(at)},

		{name: "straight", arch: arm64, code: "00 04 00 94 c0 03 5f d6", want: true},
		{name: "skipped", arch: arm64, code: "40 00 00 b4 ff 03 00 94 c0 03 5f d6"},
		{name: "behind an early return", arch: arm64, code: "40 00 00 b4 c0 03 5f d6 fe 03 00 94 c0 03 5f d6"},
		{name: "a tail call", arch: arm64, code: "1f 20 03 d5 ff 03 00 14", want: true},
		{name: "in a loop that is entered", arch: arm64, code: "00 04 00 94 e0 ff ff b5 c0 03 5f d6", want: true},
		{name: "a trap that warns", arch: arm64, code: "60 00 00 b4 ff 03 00 94 c0 03 5f d6 00 00 21 d4 c0 03 5f d6", opts: resumes(true)},
		{name: "a trap", arch: arm64, code: "60 00 00 b4 ff 03 00 94 c0 03 5f d6 00 00 21 d4", want: true, opts: resumes(false)},
	} {
		b := code(t, c.code)
		o := WayOptions{Options: Options{Arch: c.arch, Image: memory{at, b, len(b)}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + uint64(len(b))}}}}
		if c.opts != nil {
			c.opts(&o)
		}
		var calls []uint64
		edges, err := Calls(o.Image, c.arch, o.Ranges)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range edges {
			if e.To == at+0x1000 {
				calls = append(calls, e.From)
			}
		}
		w, err := NewWays(o)
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) == 0 {
			t.Errorf("%s: %s: no call of it: %+v", c.arch, c.name, edges)
		}
		if got := w.Certain(calls); got != c.want {
			t.Errorf("%s: %s: %v", c.arch, c.name, got)
		}
		if c.want && !w.Succeeds(calls) {
			t.Errorf("%s: %s: each time, but not unless it fails", c.arch, c.name)
		}
	}
}

func never(addr uint64) func(*WayOptions) {
	return func(o *WayOptions) { o.NoReturn = func(a uint64) bool { return a == addr } }
}

func resumes(yes bool) func(*WayOptions) {
	return func(o *WayOptions) { o.Resumes = func(uint64) bool { return yes } }
}

func replaced(addr uint64) func(*WayOptions) {
	return func(o *WayOptions) { o.Replaced = func(a uint64) bool { return a == addr } }
}

func jumps(from, to uint64) func(*WayOptions) {
	return func(o *WayOptions) {
		o.Jumps = func(in *Insn) []uint64 {
			if in.Addr == from {
				return []uint64{to}
			}
			return nil
		}
	}
}

// TestReturns: whether a function comes back, and on which others that depends.
func TestReturns(t *testing.T) {
	for _, c := range []struct {
		name, code string
		want       bool
		depends    []uint64
	}{
		{"returns", "c3", true, nil},
		{"loops for ever", "e8 fb 0f 00 00 eb f9", false, nil},
		{"jumps elsewhere", "e9 fb 0f 00 00", false, []uint64{at + 0x1000}},
		{"may jump elsewhere, or loops", "0f 84 fa 0f 00 00 eb fe", false, []uint64{at + 0x1000}},
		{"calls with its last instruction", "90 e8 fa 0f 00 00", false, []uint64{at + 0x1000}},
		{"calls with its last instruction, and padding", "e8 fb 0f 00 00 90 90 cc", false, []uint64{at + 0x1000}},
		{"one way returns", "74 01 c3 e8 f8 0f 00 00", true, nil},
		{"an indirect jump", "ff e0", true, nil},
	} {
		b := code(t, c.code)
		w, err := NewWays(WayOptions{Options: Options{Arch: elfbin.AMD64, Image: memory{at, b, len(b)}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + uint64(len(b))}}}})
		if err != nil {
			t.Fatal(err)
		}
		yes, depends := w.Returns()
		if yes != c.want || !yes && !slices.Equal(depends, c.depends) {
			t.Errorf("%s: %v %x", c.name, yes, depends)
		}
	}
}

func TestDecisions(t *testing.T) {
	b := code(t, "74 05 e8 f9 0f 00 00 75 f9 c3 74 fe")
	w, err := NewWays(WayOptions{Options: Options{Arch: elfbin.AMD64, Image: memory{at, b, len(b)}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + uint64(len(b))}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		low, high uint64
		want      int
	}{{at, at + 10, 2}, {at + 2, at + 10, 1}, {at + 2, at + 7, 0}, {at + 10, at, 0}, {at, at + 0x100, 3}} {
		if got := w.Decisions(c.low, c.high); got != c.want {
			t.Errorf("%#x to %#x: %d", c.low, c.high, got)
		}
	}
}
