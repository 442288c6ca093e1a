package yamltree

import (
	"errors"
	"strings"
	"testing"
)

func one(t *testing.T, text string) *Node {
	t.Helper()
	docs, err := Parse([]byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	return docs[0]
}

func TestPlaces(t *testing.T) {
	n := one(t, "a:\n  - b: é\n    ccc: &x 1\nd: *x\ne:\n")
	item := n.Get("a").Items[0]
	if f := item.Fields[1]; f.Name != "ccc" || f.Line != 3 || f.Column != 5 || f.Value.Text != "1" || f.Value.Tag != "!!int" {
		t.Errorf("%+v %+v", f, f.Value)
	}
	if d := n.Get("d"); d.Text != "1" || d.Line != 4 || d.Column != 4 {
		t.Errorf("alias: %+v", d)
	}
	if e := n.Get("e"); e.Kind != Null || n.Get("f") != nil || e.Get("x") != nil {
		t.Errorf("%+v", e)
	}
}

// TestErrors: each says where.
func TestErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a: 1\nb: [1,\n", "line 3, column 1: "},
		{"a: 1\na: 2\n", `line 2, column 1: field "a" a second time, first in line 1`},
		{"a: *no\n", "line 1, column 4: "},
		{"? [a]\n: b\n", "line 1, column 3: the name of a field is no text"},
		{"a: \x00\n", "control characters"},
		{strings.Repeat("[", 500), "depth"},
		{strings.Repeat(" ", maxSize+1), "bytes, more than"},
		{"a: &a [*a]\n", "deep"},
		{strings.Repeat("---\na: 1\n", maxDocuments+1), "documents"},
	} {
		docs, err := Parse([]byte(tt.text))
		var e *Error
		if !errors.As(err, &e) || docs != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, want %q", tt.text, err, tt.want)
		}
	}
}

// TestBomb: aliases of aliases are a billion nodes.
func TestBomb(t *testing.T) {
	text := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 10; i++ {
		n := string(rune('0' + i))
		text += "a" + n + ": &a" + n + " [" + strings.Repeat("*a"+string(rune('0'+i-1))+",", 9) + "*a" + string(rune('0'+i-1)) + "]\n"
	}
	if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
}

func TestSchema(t *testing.T) {
	s := &Schema{Type: MapOf, Required: []string{"kind"}, Fields: map[string]*Schema{
		"kind": {Type: Text, Words: []string{"A", "B"}},
		"list": {Type: ListOf, Elem: &Schema{Type: MapOf, Required: []string{"index"}, Fields: map[string]*Schema{"index": {Type: Number}, "on": {Type: Bool}}}},
		"free": {Type: MapOf},
		"any":  {},
	}}
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"kind: A\nlist: [{index: 0x10, on: true}]\nfree: {x: 1}\nany: [1]\n", nil},
		{"kind: A\nlist:\n", nil},
		{"kind: C\n", []string{`line 1, column 7: kind: "C" is none of A, B`}},
		{"list:\n- indx: 1\n  on: maybe\n", []string{
			`line 2, column 3: list[0]: unknown field "indx"; did you mean index?`,
			`line 3, column 7: list[0].on: "maybe" is neither true nor false`,
			`line 2, column 3: list[0]: no index`,
			`line 1, column 1: no kind`,
		}},
		{"kind: [A]\nlist: {a: 1}\nfree: x\nzzzzzzzzz: 1\n", []string{
			"line 1, column 7: kind: a list is here, a value is expected", "line 2, column 7: list: a map is here, a list is expected",
			"line 3, column 7: free: a value is here, a map is expected", `line 4, column 1: unknown field "zzzzzzzzz"`,
		}},
		{"kind: A\nlist: [{index: ten}]\n", []string{`line 2, column 16: list[0].index: "ten" is no number`}},
	} {
		var got []string
		for _, p := range s.Check(one(t, tt.text)) {
			got = append(got, p.Error.Error())
		}
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%q:\n%s\nwant\n%s", tt.text, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

// TestManyProblems: not all of very many are told, and that is said.
func TestManyProblems(t *testing.T) {
	s := &Schema{Type: ListOf, Elem: &Schema{Type: Number}}
	got := s.Check(one(t, strings.Repeat("- x\n", 1000)))
	if len(got) != maxProblems+1 || got[maxProblems].Error.Error() != "line 101, column 3: 900 more mistakes from here on" {
		t.Errorf("%d problems, %v", len(got), got[len(got)-1])
	}
}

// FuzzParse: an error or documents, and every place is in the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1\n", "a: &x [1, *x]\n", "---\na: b\n---\nc: d\n", "? [a]\n: b", "a: |\n  x\n", "!!binary x", "<<: {a: 1}", "%YAML 1.2\n---\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := Parse(data)
		if (err != nil) && docs != nil {
			t.Fatal("both")
		}
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%T", err)
		}
		for _, d := range docs {
			(&Schema{Type: MapOf, Required: []string{"x"}}).Check(d)
		}
	})
}
