package core

import (
	"testing"

	"github.com/surehook/surehook/kernel"
)

// typesOf is a kernel's types by name.
type typesOf []kernel.Definition

func (t typesOf) Definitions(name string) (out []kernel.Definition, err error) {
	for _, d := range t {
		if d.Name == name {
			out = append(out, d)
		}
	}
	return out, nil
}

func sample() typesOf {
	return typesOf{
		{Kind: kernel.Struct, Name: "task_struct", Size: 64, Members: []kernel.Member{
			{Name: "__state", Type: "i:unsigned int"},
			{Type: "{u8;pid@0=t:pid_t;tgid@0=i:int;}", Offset: 64},
			{Name: "comm", Type: "[16]i:char", Offset: 128},
			{Name: "se", Type: "s:sched_entity", Offset: 256},
			{Name: "flag", Type: "i:unsigned int", Offset: 330, BitSize: 3},
			{Name: "tail", Type: "[0]i:int", Offset: 512},
		}},
		{Kind: kernel.Struct, Name: "sched_entity", Size: 8, Members: []kernel.Member{{Name: "runtime", Type: "t:u64"}}},
		{Kind: kernel.Typedef, Name: "pid_t", Size: 4, Target: "i:int"},
		{Kind: kernel.Typedef, Name: "u64", Size: 8, Target: "i:long long unsigned int"},
		{Kind: kernel.Enum, Name: "mode", Size: 4, Values: []kernel.EnumValue{{Name: "A", Value: 1}, {Name: "B", Value: 7}}},
	}
}

func TestResolve(t *testing.T) {
	member := func(name string, typ kernel.Type) Step { return Step{Member: name, Type: typ} }
	task := func(k Kind, steps ...Step) Relo { return Relo{Kind: k, Root: "s:task_struct___new", Steps: steps} }
	state := member("state", "i:long")
	wide := func(typ kernel.Type) Relo {
		r := task(FieldOffset, member("__state", typ))
		r.Size = 8
		return r
	}
	for name, test := range map[string]struct {
		r    Relo
		want Answer
	}{
		"in a union":       {task(FieldOffset, member("tgid", "i:int")), Answer{Found: true, Known: true, Value: 8, Offset: 64, Size: 4, Type: "i:int"}},
		"typedef":          {task(FieldSize, member("pid", "i:int")), Answer{Found: true, Known: true, Value: 4, Offset: 64, Size: 4, Type: "t:pid_t"}},
		"gone":             {task(FieldOffset, state), Answer{Fails: true}},
		"gone, asked":      {task(FieldExists, state), Answer{Known: true}},
		"another kind":     {task(FieldExists, member("comm", "*i:char")), Answer{Known: true}},
		"element":          {task(FieldOffset, member("comm", "[16]i:char"), Step{Index: 3}), Answer{Found: true, Known: true, Value: 19, Offset: 152, Size: 1, Type: "i:char"}},
		"past the end":     {task(FieldOffset, member("comm", "[99]i:char"), Step{Index: 16}), Answer{Fails: true}},
		"without length":   {task(FieldOffset, member("tail", "[0]i:int"), Step{Index: 2}), Answer{Found: true, Known: true, Value: 72, Offset: 576, Size: 4, Type: "i:int"}},
		"nested":           {task(FieldOffset, member("se", "s:sched_entity"), member("runtime", "i:x")), Answer{Found: true, Known: true, Value: 32, Offset: 256, Size: 8, Type: "t:u64"}},
		"bit field":        {task(FieldOffset, member("flag", "i:int")), Answer{Found: true, Known: true, Value: 40, Offset: 330, Size: 4, Bits: 3, Type: "i:unsigned int"}},
		"wider":            {wide("i:long unsigned int"), Answer{Found: true, Known: true, Offset: 0, Size: 4, Type: "i:unsigned int"}},
		"wider and signed": {wide("i:long"), Answer{Found: true, Known: true, Offset: 0, Size: 4, Type: "i:unsigned int", Resized: true}},
		"sign":             {task(FieldSigned, member("tgid", "i:int")), Answer{Found: true, Known: true, Value: 1, Offset: 64, Size: 4, Type: "i:int"}},
		"array of roots":   {Relo{Root: "s:sched_entity", Index: 2, Steps: []Step{member("runtime", "i:x")}}, Answer{Found: true, Known: true, Value: 16, Offset: 128, Size: 8, Type: "t:u64"}},
		"type":             {Relo{Kind: TypeExists, Root: "s:task_struct"}, Answer{Found: true, Known: true, Value: 1}},
		"no type":          {Relo{Kind: TypeExists, Root: "s:nosuch"}, Answer{Known: true}},
		"not a union":      {Relo{Kind: TypeExists, Root: "u:task_struct"}, Answer{Known: true}},
		"size":             {Relo{Kind: TypeSize, Root: "s:task_struct"}, Answer{Found: true, Known: true, Value: 64}},
		"size of nothing":  {Relo{Kind: TypeSize, Root: "s:nosuch"}, Answer{Known: true}},
		"enumerator":       {Relo{Kind: EnumValue, Root: "e:mode", Enumerator: "B___x"}, Answer{Found: true, Known: true, Value: 7}},
		"no enumerator":    {Relo{Kind: EnumValue, Root: "e:mode", Enumerator: "C"}, Answer{Fails: true}},
		"asked":            {Relo{Kind: EnumExists, Root: "e:mode", Enumerator: "C"}, Answer{Known: true}},
		"unnamed":          {Relo{Kind: FieldOffset, Root: "{s4;a@0=i:int;}", Steps: []Step{member("a", "i:int")}}, Answer{Fails: true}},
	} {
		got, err := Resolve(sample(), &test.r)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
	}
}

func TestAmbiguous(t *testing.T) {
	types := append(sample(), kernel.Definition{Kind: kernel.Struct, Name: "sched_entity", Size: 16, Members: []kernel.Member{{Name: "runtime", Type: "t:u64", Offset: 64}}})
	got, err := Resolve(types, &Relo{Root: "s:sched_entity", Steps: []Step{{Member: "runtime", Type: "i:long"}}})
	if err != nil || !got.Found || got.Known {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNear(t *testing.T) {
	old := typesOf{{Kind: kernel.Struct, Name: "task_struct", Members: []kernel.Member{
		{Name: "state", Type: "i:long"}, {Name: "name", Type: "[16]i:char", Offset: 128},
	}}}
	for want, step := range map[string]Step{
		".__state":    {Member: "state", Type: "i:long"},
		".se.runtime": {Member: "runtime", Type: "i:long"},
		".comm":       {Member: "name", Type: "[16]i:char"},
		"":            {Member: "nothing", Type: "i:int"},
	} {
		n, ok, err := Near(sample(), old, &Relo{Root: "s:task_struct", Steps: []Step{step}})
		if err != nil || ok != (want != "") || n.Path != want || ok && !n.Sure {
			t.Errorf("%s: %+v, %v", step.Member, n, err)
		}
	}
}

func TestEssential(t *testing.T) {
	for name, want := range map[string]string{"a___b": "a", "a__b": "a__b", "___b": "___b", "a____b": "a____b", "a___b___c": "a___b", "": ""} {
		if got := Essential(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// FuzzParse: a text is a type or not, and a type's text is one.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"*ci:int", "[16](s:a,*0,.)0", "{s16;a@0=T;b@64:3=i:int;}", "{u8;pid@0=t:pid_t;tgid@0=i:int;}", "{e4;A=1;B=-2;}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := parse(kernel.Type(s)); n != nil {
			_ = n.text()
			if _, err := Resolve(sample(), &Relo{Root: kernel.Type(s), Steps: []Step{{Member: "a", Type: kernel.Type(s)}}}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestBegins(t *testing.T) {
	types := typesOf{
		{Kind: kernel.Struct, Name: "tcp_sock", Size: 16, Members: []kernel.Member{{Name: "inet", Type: "t:inet_t"}}},
		{Kind: kernel.Typedef, Name: "inet_t", Target: "s:inet_sock"},
		{Kind: kernel.Struct, Name: "inet_sock"}, // a declaration
		{Kind: kernel.Struct, Name: "inet_sock", Size: 8, Members: []kernel.Member{{Name: "sk", Type: "s:sock"}}},
		{Kind: kernel.Struct, Name: "sock", Size: 4, Members: []kernel.Member{{Name: "n", Type: "i:int"}}},
		{Kind: kernel.Struct, Name: "half", Size: 4, Members: []kernel.Member{{Name: "x", Type: "s:elsewhere"}}},
		{Kind: kernel.Struct, Name: "round", Size: 4, Members: []kernel.Member{{Name: "x", Type: "s:round"}}},
	}
	for _, test := range []struct {
		outer, inner kernel.Type
		want         kernel.Answer
	}{
		{"s:tcp_sock", "s:sock", kernel.Yes},
		{"s:sock", "s:sock", kernel.Yes},
		{"u:other", "u:other", kernel.Yes},
		{"s:sock", "s:tcp_sock", kernel.No},
		{"s:sock", "u:sock", kernel.No},
		{"s:half", "s:sock", kernel.NotKnown},
		{"s:gone", "s:sock", kernel.NotKnown},
		{"s:round", "s:sock", kernel.NotKnown},
		{"i:int", "s:sock", kernel.No},
		{"s:sock", "i:int", kernel.NotKnown},
	} {
		if got, err := Begins(types, test.outer, test.inner); got != test.want || err != nil {
			t.Errorf("%s begins with %s: %v, %v, want %v", test.outer, test.inner, got, err, test.want)
		}
	}
}
