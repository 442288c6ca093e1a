package baseline

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/yamltree"
)

// Entry is one accepted finding, or one on several kernels.
type Entry struct {
	Rule     check.Code
	Hook     string   // as spelled; "" for findings about a file
	On       []string // kernels or binaries, names or globs; empty: all
	File     string   // that the hook was found in; "" for all, and the command line
	Function string   // of a hook that names several; "" for all
	Reason   string
	Expires  time.Time // the last day on which it counts, UTC; zero: never
	Line     int       // where the entry begins, from 1
	Column   int
}

// File is a baseline.
type File struct {
	Path    string
	Entries []Entry
}

// FormatError is something in the file that cannot be understood.
type FormatError = yamltree.FileError

const dateForm = "2006-01-02"

func schema() *yamltree.Schema {
	text := &yamltree.Schema{Type: yamltree.Text}
	entry := &yamltree.Schema{Type: yamltree.MapOf, Required: []string{"rule", "reason"}, Fields: map[string]*yamltree.Schema{
		"rule": text, "hook": text, "on": {}, "file": text, "function": text, "reason": text, "expires": text,
	}}
	return &yamltree.Schema{Type: yamltree.MapOf, Required: []string{}, Fields: map[string]*yamltree.Schema{
		"accepted": {Type: yamltree.ListOf, Elem: entry},
	}}
}

// Parse reads a baseline. All that is wrong with it is in the error, each as a
// *FormatError; then the File is nil.
func Parse(name string, data []byte) (*File, error) {
	docs, err := yamltree.Parse(data)
	if err != nil {
		e := (*yamltree.Error)(nil)
		if errors.As(err, &e) {
			return nil, &FormatError{Path: name, Line: e.Line, Column: e.Column, Reason: e.Reason}
		}
		return nil, &FormatError{Path: name, Reason: err.Error()}
	}
	f := &File{Path: name}
	if len(docs) == 0 {
		return f, nil
	}
	if len(docs) > 1 {
		return nil, &FormatError{Path: name, Line: docs[1].Line, Column: docs[1].Column, Reason: "a second document; put all entries into one list"}
	}
	var failed []error
	for _, p := range schema().Check(docs[0]) {
		failed = append(failed, &FormatError{Path: name, Line: p.Line, Column: p.Column, Reason: p.Reason})
	}
	if failed != nil {
		return nil, errors.Join(failed...)
	}
	for _, n := range docs[0].Get("accepted").List() {
		e, err := newEntry(name, n)
		failed = append(failed, err...)
		f.Entries = append(f.Entries, e)
	}
	if len(failed) > 0 {
		return nil, errors.Join(failed...)
	}
	return f, nil
}

func newEntry(name string, n *yamltree.Node) (e Entry, failed []error) {
	fail := func(at *yamltree.Node, format string, args ...any) {
		failed = append(failed, &FormatError{Path: name, Line: at.Line, Column: at.Column, Reason: fmt.Sprintf(format, args...)})
	}
	e = Entry{
		Rule: check.Code(strings.ToUpper(n.Get("rule").String())), Hook: strings.TrimSpace(n.Get("hook").String()), File: n.Get("file").String(),
		Function: n.Get("function").String(), Reason: strings.TrimSpace(n.Get("reason").String()), Line: n.Line, Column: n.Column,
	}
	if _, ok := check.Find(string(e.Rule)); !ok {
		fail(n.Get("rule"), "no rule %q; docs/rules.md has all", e.Rule)
	}
	if e.Reason == "" {
		fail(n.Get("reason"), "an empty reason; say why the finding is accepted")
	}
	if e.Hook == "" && e.File == "" {
		fail(n, "neither hook nor file; say what the finding is about")
	}
	if e.Hook != "" {
		if _, err := hook.Parse(e.Hook); err != nil {
			fail(n.Get("hook"), "%v", err)
		}
	}
	if when := n.Get("expires").String(); when != "" {
		day, err := time.Parse(dateForm, when)
		if err != nil {
			fail(n.Get("expires"), "%q is no date; write %s", when, dateForm)
		}
		e.Expires = day
	}
	on := n.Get("on")
	names := on.List()
	if on.String() != "" {
		names = []*yamltree.Node{on}
	}
	if on != nil && on.Kind != yamltree.Null && len(names) == 0 {
		fail(on, "on: name a kernel or binary, or a list of them; leave it out for all")
	}
	for _, m := range names {
		if _, err := path.Match(m.String(), ""); err != nil || m.String() == "" {
			fail(m, "%q is no name or glob of a kernel or binary", m.String())
		}
		e.On = append(e.On, m.String())
	}
	return e, failed
}

// sameHook compares hooks however they are spelled.
func sameHook(a, b string) bool {
	if a == b {
		return true
	}
	x, err := hook.Parse(a)
	if err != nil {
		return false
	}
	y, err := hook.Parse(b)
	return err == nil && x.String() == y.String()
}

func sameFile(a, b string) bool {
	return path.Clean(filepath.ToSlash(a)) == path.Clean(filepath.ToSlash(b))
}
