package kernel

import "testing"

type defs []Definition

func (d defs) Definitions(name string) (out []Definition, err error) {
	for _, x := range d {
		if x.Name == name {
			out = append(out, x)
		}
	}
	return out, nil
}

func TestMemberType(t *testing.T) {
	d := defs{
		{Kind: Struct, Name: "sock", Members: []Member{{Name: "__sk_common", Type: "s:common"}, {Name: "", Type: "{u8;a@0=(*0,[2]i:int)*s:sock;b@0={s8;deep@0=ci:int;};}"}}},
		{Kind: Struct, Name: "common", Members: []Member{{Name: "skc_num", Type: "t:u16"}, {Name: "list", Type: "[4]*cs:sock"}}},
		{Kind: Typedef, Name: "u16", Target: "i:short"}, {Kind: Typedef, Name: "sock_t", Target: "*s:sock"}, {Kind: Typedef, Name: "loop", Target: "t:loop"},
		{Kind: Struct, Name: "round", Members: []Member{{Type: "s:round"}}},
		{Kind: Union, Name: "twice", Members: []Member{{Name: "x", Type: "i:int"}}}, {Kind: Union, Name: "twice", Members: []Member{{Name: "y", Type: "i:int"}}},
	}
	for _, tt := range []struct {
		t     Type
		name  string
		want  Type
		found Answer
	}{
		{"s:sock", "__sk_common", "s:common", Yes},
		{"c*vs:sock", "a", "(*0,[2]i:int)*s:sock", Yes},
		{"t:sock_t", "b", "{s8;deep@0=ci:int;}", Yes},
		{"{s8;deep@0=ci:int;}", "deep", "ci:int", Yes},
		{"s:sock", "nosuch", "", No},
		{"s:nosuch", "x", "", NotKnown},
		{"t:nosuch", "x", "", NotKnown},
		{"i:int", "x", "", No},
		{"0", "x", "", No},
		{"", "x", "", NotKnown},
		{"t:loop", "x", "", NotKnown},
		{"s:round", "x", "", NotKnown},
		{"u:twice", "y", "i:int", Yes},
		{"{s8;broken", "x", "", No},
		{"{s8;a@0=?;}", "a", "", No},
	} {
		got, found, err := MemberType(d, tt.t, tt.name)
		if got != tt.want || found != tt.found || err != nil {
			t.Errorf("%s %s: %q %v %v", tt.t, tt.name, got, found, err)
		}
	}
	for _, tt := range []struct {
		t, want Type
		found   Answer
	}{{"c[4]*s:x", "*s:x", Yes}, {"t:sock_t", "s:sock", Yes}, {"i:int", "", No}, {"t:loop", "", NotKnown}, {"", "", NotKnown}, {"[3", "", No}} {
		if got, found, err := Element(d, tt.t); got != tt.want || found != tt.found || err != nil {
			t.Errorf("element of %s: %q %v %v", tt.t, got, found, err)
		}
	}
}

func FuzzMemberType(f *testing.F) {
	f.Add("{u8;a@0=(*0,[2]i:int)*s:sock;b@0={s8;deep@0=ci:int;};}", "b")
	f.Fuzz(func(t *testing.T, text, name string) {
		got, found, err := MemberType(defs{{Kind: Struct, Name: "x", Members: []Member{{Name: "y", Type: Type(text)}, {Type: Type(text)}}}}, Type(text), name)
		if err != nil || (found != Yes) != (got == "") && found != Yes {
			t.Fatal(got, found, err)
		}
	})
}
