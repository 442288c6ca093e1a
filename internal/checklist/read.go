package checklist

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/yamltree"
	"github.com/surehook/surehook/report"
)

// Name is what the file is called where nobody says.
const Name = ".surehook.yaml"

// Is tells whether a name is that of such a file.
func Is(name string) bool {
	base := filepath.Base(name)
	return base == Name || strings.HasSuffix(base, ".surehook.yaml") || strings.HasSuffix(base, ".surehook.yml")
}

// List is what is to be checked. Names of files are relative to Dir.
type List struct {
	Path     string
	Dir      string         // that the file is in, as it was given
	Format   report.Format  // "" if it does not say
	FailOn   check.Severity // "" if it does not say
	Baseline string         // joined with Dir; "" without one
	Atlas    []string       // joined with Dir
	Entries  []Entry
}

// Entry is some files and hooks, and what they are checked against.
type Entry struct {
	Files    []string // joined with Dir
	Hooks    []string
	Places   []Place           // those of Hooks, in their order
	Kernels  []string          // as --kernel takes them; empty: as without it
	Binaries map[string]string // from names of files in hooks to what is checked in their place, joined with Dir
	Line     int               // where the entry begins, from 1
	Column   int
}

// Place is a place in the file.
type Place struct{ Line, Column int } // from 1; the column in characters

// FormatError is something in the file that cannot be understood.
type FormatError = yamltree.FileError

// version is the only one that there is.
const version = "1"

func schema() *yamltree.Schema {
	text, free := &yamltree.Schema{Type: yamltree.Text}, &yamltree.Schema{}
	entry := &yamltree.Schema{Type: yamltree.MapOf, Fields: map[string]*yamltree.Schema{
		"file": free, "files": free, "hook": free, "hooks": free, "kernel": free, "kernels": free, "binaries": {Type: yamltree.MapOf},
	}}
	return &yamltree.Schema{Type: yamltree.MapOf, Required: []string{"check"}, Fields: map[string]*yamltree.Schema{
		"version": {Type: yamltree.Text, Words: []string{version}}, "kernels": free, "binaries": {Type: yamltree.MapOf},
		"fail-on": text, "baseline": text, "format": text, "atlas": free, "check": {Type: yamltree.ListOf, Elem: entry},
	}}
}

// reader collects what is wrong.
type reader struct {
	List
	failed []error
}

// Parse reads a list; name is the file's, as it was given. All that is wrong
// with it is in the error, each as a *FormatError; then the List is nil.
func Parse(name string, data []byte) (*List, error) {
	r := &reader{List: List{Path: name, Dir: filepath.Dir(name)}}
	docs, err := yamltree.Parse(data)
	if e := (*yamltree.Error)(nil); errors.As(err, &e) {
		return nil, &FormatError{Path: name, Line: e.Line, Column: e.Column, Reason: e.Reason}
	}
	if err != nil {
		return nil, &FormatError{Path: name, Reason: err.Error()}
	}
	if len(docs) != 1 || docs[0].Kind == yamltree.Null {
		return nil, &FormatError{Path: name, Line: 1, Column: 1, Reason: "one document with the field check is expected; see docs/ci.md"}
	}
	root := docs[0]
	for _, p := range schema().Check(root) {
		r.failed = append(r.failed, &FormatError{Path: name, Line: p.Line, Column: p.Column, Reason: p.Reason})
	}
	if len(r.failed) > 0 {
		return nil, errors.Join(r.failed...)
	}
	r.settings(root)
	for _, n := range root.Get("check").List() {
		r.Entries = append(r.Entries, r.entry(root, n))
	}
	if len(r.Entries) == 0 {
		r.fail(root, "check: nothing is listed")
	}
	if len(r.failed) > 0 {
		return nil, errors.Join(r.failed...)
	}
	return &r.List, nil
}

func (r *reader) fail(n *yamltree.Node, format string, args ...any) {
	r.failed = append(r.failed, &FormatError{Path: r.Path, Line: n.Line, Column: n.Column, Reason: fmt.Sprintf(format, args...)})
}

// settings reads what holds for all entries.
func (r *reader) settings(root *yamltree.Node) {
	if n := root.Get("fail-on"); n.String() != "" {
		severity, err := check.ParseSeverity(n.String())
		if err != nil {
			r.fail(n, "fail-on: %v", err)
		}
		r.FailOn = severity
	}
	if n := root.Get("format"); n.String() != "" {
		format, err := report.ParseDocumentFormat(n.String())
		if err != nil {
			r.fail(n, "%v", err)
		}
		r.Format = format
	}
	if b := root.Get("baseline").String(); b != "" {
		r.Baseline = r.join(b)
	}
	for _, a := range r.texts(root, "atlas") {
		r.Atlas = append(r.Atlas, r.join(a))
	}
}

// join is a file's name as it can be opened from where the program runs.
func (r *reader) join(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.Dir, filepath.FromSlash(name))
}

func (r *reader) entry(root, n *yamltree.Node) Entry {
	e := Entry{Line: n.Line, Column: n.Column, Binaries: map[string]string{}}
	for _, f := range append(r.texts(n, "file"), r.texts(n, "files")...) {
		e.Files = append(e.Files, r.join(f))
	}
	for _, field := range []string{"hook", "hooks"} {
		for _, h := range r.items(n, field) {
			if _, err := hook.Parse(h.String()); err != nil {
				r.fail(h, "%v", err)
			}
			e.Hooks, e.Places = append(e.Hooks, h.String()), append(e.Places, Place{h.Line, h.Column})
		}
	}
	e.Kernels = append(r.texts(n, "kernel"), r.texts(n, "kernels")...)
	if len(e.Kernels) == 0 {
		e.Kernels = r.texts(root, "kernels")
	}
	for _, from := range []*yamltree.Node{root, n} { // the entry's own count
		r.binaries(e.Binaries, from.Get("binaries"))
	}
	if len(e.Files)+len(e.Hooks) == 0 {
		r.fail(n, "neither files nor hooks; say what is to be checked")
	}
	return e
}

func (r *reader) binaries(into map[string]string, n *yamltree.Node) {
	if n == nil {
		return
	}
	for _, f := range n.Fields {
		if f.Value.String() == "" || f.Name == "" {
			r.fail(cmp.Or(f.Value, n), "binaries: write NAME-IN-HOOKS: FILE")
			continue
		}
		into[path.Clean(f.Name)] = r.join(f.Value.String())
	}
}

// texts reads a text or a list of them.
func (r *reader) texts(n *yamltree.Node, field string) []string {
	var out []string
	for _, item := range r.items(n, field) {
		out = append(out, item.String())
	}
	return out
}

// items gives the texts with their places.
func (r *reader) items(n *yamltree.Node, field string) []*yamltree.Node {
	v := n.Get(field)
	if v == nil || v.Kind == yamltree.Null {
		return nil
	}
	items := []*yamltree.Node{v}
	if v.Kind == yamltree.List {
		items = v.Items
	}
	var out []*yamltree.Node
	for _, item := range items {
		if item.String() == "" {
			r.fail(item, "%s: a text, or a list of texts, is expected", field)
			continue
		}
		out = append(out, item)
	}
	return out
}
