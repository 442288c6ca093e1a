package core

import (
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/kernel"
)

type defs []kernel.Definition

func (d defs) Definitions(name string) (out []kernel.Definition, err error) {
	for _, x := range d {
		if x.Name == name {
			out = append(out, x)
		}
	}
	return out, nil
}

func TestWalk(t *testing.T) {
	d := defs{
		{Kind: kernel.Struct, Name: "sock", Members: []kernel.Member{{Name: "__sk_common", Type: "s:common"}, {Name: "", Type: "{u8;a@0=(*0,[2]i:int)*s:sock;b@0={s8;deep@0=ci:int;};}"}}},
		{Kind: kernel.Struct, Name: "common", Members: []kernel.Member{{Name: "skc_num", Type: "t:u16"}, {Name: "list", Type: "[4]*cs:sock"}}},
		{Kind: kernel.Typedef, Name: "u16", Target: "i:short"}, {Kind: kernel.Typedef, Name: "sock_t", Target: "*s:sock"}, {Kind: kernel.Typedef, Name: "loop", Target: "t:loop"},
		{Kind: kernel.Struct, Name: "round", Members: []kernel.Member{{Type: "s:round"}}},
		{Kind: kernel.Union, Name: "twice", Members: []kernel.Member{{Name: "x", Type: "i:int"}}}, {Kind: kernel.Union, Name: "twice", Members: []kernel.Member{{Name: "y", Type: "i:int"}}},
	}
	for _, tt := range []struct {
		root  kernel.Type
		path  string // members with blanks between
		want  string // the types behind the root
		found kernel.Answer
	}{
		{"s:sock", "__sk_common", "s:common", kernel.Yes},
		{"s:sock", "__sk_common skc_num", "s:common t:u16", kernel.Yes},
		{"*vs:sock", "a", "(*0,[2]i:int)*s:sock", kernel.Yes},
		{"t:sock_t", "b deep", "{s8;} i:int", kernel.Yes},
		{"{s8;deep@0=ci:int;}", "deep", "i:int", kernel.Yes},
		{"*s:common", "list [] a", "[4]*s:sock *s:sock (*0,[2]i:int)*s:sock", kernel.Yes},
		{"*s:common", "list [] [] nosuch", "[4]*s:sock *s:sock s:sock", kernel.No},
		{"s:sock", "nosuch", "", kernel.No},
		{"s:nosuch", "x", "", kernel.NotKnown},
		{"t:nosuch", "x", "", kernel.NotKnown},
		{"i:int", "x", "", kernel.No},
		{"i:int", "[]", "", kernel.No},
		{"t:sock_t", "[]", "s:sock", kernel.Yes},
		{"0", "x", "", kernel.No},
		{"", "x", "", kernel.NotKnown},
		{"t:loop", "x", "", kernel.NotKnown},
		{"t:loop", "[]", "", kernel.NotKnown},
		{"s:round", "x", "", kernel.NotKnown},
		{"u:twice", "y", "i:int", kernel.Yes},
		{"{s8;broken", "x", "", kernel.NotKnown},
		{"s:sock", "", "", kernel.Yes},
	} {
		w, err := Walk(d, tt.root, strings.Fields(tt.path))
		var types []string
		for _, x := range w.Types[1:] {
			types = append(types, string(x))
		}
		if got := strings.Join(types, " "); got != tt.want || w.Found != tt.found || err != nil || w.Types[0] != tt.root {
			t.Errorf("%s %s: %q %v %v", tt.root, tt.path, got, w.Found, err)
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add("{u8;a@0=(*0,[2]i:int)*s:sock;b@0={s8;deep@0=ci:int;};}", "b")
	f.Fuzz(func(t *testing.T, text, name string) {
		d := defs{{Kind: kernel.Struct, Name: "x", Members: []kernel.Member{{Name: "y", Type: kernel.Type(text)}, {Type: kernel.Type(text)}}}}
		path := []string{name, Element, name}
		w, err := Walk(d, kernel.Type(text), path)
		if err != nil || (w.Found == kernel.Yes) != (len(w.Types) == 4) || slices.Contains(w.Types[1:], "") {
			t.Fatal(w, err)
		}
	})
}
