package sites

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
)

func TestSplitClone(t *testing.T) {
	tests := []struct {
		name, base, suffix string
		clone, part, cold  bool
	}{
		{"add", "add", "", false, false, false},
		{"add.isra.0", "add", ".isra.0", true, false, false},
		{"add.constprop.0", "add", ".constprop.0", true, false, false},
		{"add.part.0", "add", ".part.0", true, true, false},
		{"add.part.0.isra.0", "add", ".part.0.isra.0", true, true, false},
		{"add.constprop.0.part.12", "add", ".constprop.0.part.12", true, true, false},
		{"add.cold", "add", ".cold", false, false, true},
		{"add.cold.3", "add", ".cold.3", false, false, true},
		{"add.part.0.cold", "add", ".part.0.cold", true, true, true},
		{"add.lto_priv.0", "add", ".lto_priv.0", false, false, false},
		{"add.lto_priv.0.isra.1", "add", ".lto_priv.0.isra.1", true, false, false},
		{"add.llvm.123", "add", ".llvm.123", false, false, false},
		{"add.specialized.1", "add", ".specialized.1", true, false, false},
		{"add.localalias", "add", ".localalias", false, false, false},
		{"add.localalias.7", "add", ".localalias.7", false, false, false},
		{"add.argprom", "add", ".argprom", true, false, false},
		{"add.argelim.2", "add", ".argelim.2", true, false, false},
		{"add.constprop.0.isra.0", "add", ".constprop.0.isra.0", true, false, false},
		{"add.__uniq.123.llvm.9", "add", ".__uniq.123.llvm.9", false, false, false},
		{"_ZN3foo3barE.llvm.14093282.cold.1", "_ZN3foo3barE", ".llvm.14093282.cold.1", false, false, true},
		{"box.isra.add.isra.0", "box.isra.add", ".isra.0", true, false, false},
		// Dots that are no compiler's.
		{"main.part.func1", "main.part.func1", "", false, false, false},
		{"main.coldStart", "main.coldStart", "", false, false, false},
		{"dns.resolverOf", "dns.resolverOf", "", false, false, false},
		{"x.isra", "x.isra", "", false, false, false},
		{"add.12", "add.12", "", false, false, false},
		{"main.(*T).add", "main.(*T).add", "", false, false, false},
		{"main.add.func1", "main.add.func1", "", false, false, false},
		{"example.com/x/pkg.F", "example.com/x/pkg.F", "", false, false, false},
		{"memcpy.", "memcpy.", "", false, false, false},
		{".part.0", ".part.0", "", false, false, false},
		{"", "", "", false, false, false},
	}
	for _, tt := range tests {
		base, s := splitClone(tt.name)
		if base != tt.base || s.text != tt.suffix || s.clone != tt.clone || s.part != tt.part || s.cold != tt.cold {
			t.Errorf("%q: %q %+v, want %+v", tt.name, base, s, tt)
		}
		if base+s.text != tt.name {
			t.Errorf("%q: parts %q and %q do not make it up", tt.name, base, s.text)
		}
	}
}

func TestMatches(t *testing.T) {
	box := &function{name: "geo::Box::area", linkage: "_ZNK3geo3Box4areaEv"}
	most := &function{name: "geo::most<int>", linkage: "_ZN3geo4mostIiEET_S1_S1_"}
	rust := &function{name: "prog::shapes::total", linkage: "_ZN4prog6shapes5total17h1234567890abcdefE"}
	goFunc := &function{name: "example.com/x/ring.(*Ring).At"}
	cloned := &function{name: "add", names: []string{"add.constprop.0"}}
	for _, f := range []*function{box, most, rust, goFunc, cloned} {
		f.spell()
	}
	tests := []struct {
		f       *function
		pattern string
		glob    bool
		want    bool
	}{
		{box, "geo::Box::area", false, true},
		{box, "_ZNK3geo3Box4areaEv", false, true},
		{box, "area", false, true},
		{box, "geo::Box::area() const", false, true},
		{box, "Box::perimeter", false, false},
		{box, "geo::*", true, true},
		{box, "geo::*", false, false},
		{most, "geo::most<int>", false, true},
		{most, "geo::most", false, true},
		{most, "geo::most<long>", false, false},
		{rust, "prog::shapes::total", false, true},
		{rust, "total", false, true},
		{goFunc, "example.com/x/ring.(*Ring).At", false, true},
		{goFunc, "example.com/*", true, true},
		{goFunc, "*At", true, true},
		{goFunc, "At", false, false},
		{cloned, "add.constprop.0", false, true},
		{cloned, "ad?", true, true},
		{cloned, "add.*", true, true},
		{cloned, "a", false, false},
		{cloned, "", false, false},
	}
	for _, tt := range tests {
		if got := tt.f.matches(tt.pattern, tt.glob); got != tt.want {
			t.Errorf("%s matches %q (glob %v): %v; its names are %q", tt.f.name, tt.pattern, tt.glob, got, tt.f.names)
		}
	}
}

func TestGlobMatch(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a/b.c", true},
		{"*", "", true},
		{"a*c", "a/b/c", true},
		{"a?c", "a/c", true},
		{"[ab]dd", "add", true},
		{"[ab]dd", "cdd", false},
		{"add", "add", true},
		{"add", "adder", false},
		{"[", "[", false}, // no pattern: matches nothing
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
	}
	for _, tt := range tests {
		if got := globMatch(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%q, %q: %v", tt.pattern, tt.name, got)
		}
	}
}

func TestNear(t *testing.T) {
	x := &index{}
	for _, n := range []string{"read_page", "read_pages", "reap_page", "write_page", "main", "Malloc", "f"} {
		x.funcs = append(x.funcs, &function{name: n})
	}
	tests := []struct {
		name string
		want []string
	}{
		{"raed_page", []string{"read_page", "read_pages", "reap_page"}},
		{"malloc", []string{"Malloc"}},
		{"write_pgae", []string{"write_page"}},
		{"main", []string{"main"}},
		{"entirely_different_thing", nil},
		{"g", []string{"f"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, x.near(tt.name)); diff != "" {
			t.Errorf("near %q: -want +got:\n%s", tt.name, diff)
		}
	}
	if got := (&index{}).near("add"); got != nil {
		t.Errorf("near in nothing: %q", got)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 3, 0}, {"add", "add", 3, 0}, {"add", "and", 3, 1}, {"add", "ad", 3, 1},
		{"kitten", "sitting", 5, 3}, {"kitten", "sitting", 2, 3}, {"a", "abcdef", 2, 3}, {"abcdef", "", 2, 3},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b, tt.limit); got != tt.want {
			t.Errorf("%q to %q within %d: %d, want %d", tt.a, tt.b, tt.limit, got, tt.want)
		}
	}
}

// TestHang: which of several symbols at one address a body is called by.
func TestHang(t *testing.T) {
	f := &function{name: "add", bodies: []bodyRef{{entry: 0x10}, {entry: 0x20}, {entry: 0x30}}}
	for _, s := range []struct {
		name string
		addr uint64
	}{{"other", 0x10}, {"add.isra.0", 0x20}, {"add.part.0", 0x30}, {"add", 0x20}} {
		_, suffix := splitClone(s.name)
		f.hang(elfbin.Symbol{Name: s.name, Value: s.addr}, suffix)
	}
	var got []string
	for _, r := range f.bodies {
		word := r.sym.Name
		if r.clone {
			word += " clone"
		}
		if r.part {
			word += " part"
		}
		got = append(got, word)
	}
	want := []string{"other", "add", "add.part.0 clone part"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(f.parts) != 1 || f.parts[0].Name != "add.part.0" {
		t.Errorf("parts %v", f.parts)
	}
}

func TestNotFoundError(t *testing.T) {
	text := (&NotFoundError{Path: "prog", Function: "ad", Near: []string{"add", "and"}, NoDebug: true}).Error()
	for _, want := range []string{"prog: ", `"ad"`, "did you mean add, and?", "no debug information"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

func TestGoSpellings(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"main.total[go.shape.int]", []string{"main.total", "main.total[...]"}},
		{"main.(*List[go.shape.[]uint8,go.shape.int]).Push.func1", []string{"main.(*List).Push.func1", "main.(*List[...]).Push.func1"}},
		{"gopkg.in/yaml%2ev3.Marshal", []string{"gopkg.in/yaml.v3.Marshal"}},
		{"main.f", nil},
		{"main.f]", nil},
		{"main.f[", nil},
		{"ns::f<int[3]>", nil},
		{"[x].y", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, goSpellings(tt.name)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}
