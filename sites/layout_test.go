package sites

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
)

func TestWithout(t *testing.T) {
	rs := func(bounds ...uint64) []elfbin.Range {
		var out []elfbin.Range
		for i := 0; i+1 < len(bounds); i += 2 {
			out = append(out, elfbin.Range{Low: bounds[i], High: bounds[i+1]})
		}
		return out
	}
	for _, tt := range []struct{ from, others, want []elfbin.Range }{
		{rs(10, 20), nil, rs(10, 20)},
		{rs(10, 20), rs(0, 5, 30, 40), rs(10, 20)},
		{rs(10, 20), rs(12, 14), rs(10, 12, 14, 20)},
		{rs(10, 20), rs(5, 12, 18, 30), rs(12, 18)},
		{rs(10, 20), rs(10, 20), nil},
		{rs(10, 20, 20, 30), rs(15, 25), rs(10, 15, 25, 30)},
		{rs(10, 20, 30, 40, 50, 60), rs(0, 35, 55, 57), rs(35, 40, 50, 55, 57, 60)},
	} {
		if d := cmp.Diff(tt.want, without(tt.from, tt.others)); d != "" {
			t.Errorf("%v without %v: %s", tt.from, tt.others, d)
		}
	}
	if d := cmp.Diff(rs(1, 5, 5, 8, 9, 10), disjoint(rs(1, 5, 2, 4, 3, 8, 9, 10))); d != "" {
		t.Error(d)
	}
}

func TestInnermostFDE(t *testing.T) {
	l := layout{fdes: []elfbin.Range{{Low: 10, High: 100}, {Low: 20, High: 30}, {Low: 40, High: 50}}}
	for addr, want := range map[uint64]uint64{10: 10, 19: 10, 20: 20, 29: 20, 30: 10, 45: 40, 99: 10} {
		if r, ok := l.fde(addr); !ok || r.Low != want {
			t.Errorf("%d: %v, %v", addr, r, ok)
		}
	}
	for _, addr := range []uint64{9, 100} {
		if r, ok := l.fde(addr); ok {
			t.Errorf("%d: %v", addr, r)
		}
	}
	if !l.begins(40) || l.begins(41) {
		t.Error("begins")
	}
}

// TestConfidence: what is known lowers it, and the sentence says why.
func TestConfidence(t *testing.T) {
	for _, tt := range []struct {
		e    CodeEvidence
		want Confidence
		text string
	}{
		{CodeEvidence{}, High, "has no caller left in this file: probably inlined everywhere, or unused (confidence high)"},
		{CodeEvidence{Indirect: 7, Self: 2}, High, "confidence high)"},
		{CodeEvidence{Unread: 4}, Medium, "(confidence medium: 4 bytes of code could not be disassembled)"},
		{CodeEvidence{Unread: 4, Exported: true}, Low, "but it is exported: callers may be in other files; 4 bytes"},
		{CodeEvidence{AddressInCode: true, Indirect: 1}, Low, "instructions make its address, for one of 1 indirect call or"},
		{CodeEvidence{AddressInData: true}, Low, "data holds its address"},
		{CodeEvidence{Loose: 2}, Low, "reads as 2 calls of it"},
		{CodeEvidence{Calls: 3, Exported: true, Callers: []CodeCaller{{"a", 1, 1, 0}, {"", 16, 2, 0}}}, NoConfidence,
			"3 direct calls of the symbol left in the file, from 0x10, a"},
	} {
		tt.e.judge(nil)
		if tt.e.NoCaller != tt.want || !strings.Contains(tt.e.String(), tt.text) {
			t.Errorf("%+v: %s", tt.e, tt.e.String())
		}
	}
}

func TestSourceFiles(t *testing.T) {
	const local, global = 0, 1
	got := sourceFiles([]elfbin.Symbol{
		{Name: "a.c", Type: 4, Section: 0xfff1}, {Name: "f", Type: 2, Value: 1, Section: 1},
		{Name: "<artificial>", Type: 4, Section: 0xfff1}, {Name: "g", Type: 2, Value: 2, Section: 1},
		{Name: "b.c", Type: 4, Section: 0xfff1}, {Name: "h", Type: 2, Value: 3, Section: 1},
		{Name: "main", Type: 2, Bind: global, Value: 4, Section: 1}, {Name: "late", Type: 2, Bind: local, Value: 5, Section: 1},
	})
	if d := cmp.Diff(map[uint64]string{1: "a.c", 3: "b.c"}, got); d != "" {
		t.Error(d)
	}
}
