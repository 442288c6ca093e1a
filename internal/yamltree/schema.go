package yamltree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/hook"
)

// Type is what a value must be.
type Type uint8

// The types.
const (
	Any Type = iota
	Text
	Number
	Bool
	ListOf
	MapOf
)

// Schema says what a value must be. Its tables are shared and not written to.
type Schema struct {
	Type     Type
	Fields   map[string]*Schema // of MapOf; nil: any
	Elem     *Schema            // of ListOf; nil: any
	Required []string           // fields that must be there
	Words    []string           // of Text: the words that it may be; nil: any
}

// Problem is something that a schema does not allow.
type Problem struct {
	Error
	Path  string // "spec.kprobes[0].args"
	Field string // the field that is not known; "" if it is something else
	Near  string // the field that is probably meant; "" if none is near
}

// maxProblems bounds how many are told: who makes more has made one many times.
const maxProblems = 100

// Check compares a value with the schema, in the order of the text. Of very
// many problems the last says how many are left out.
func (s *Schema) Check(n *Node) []Problem {
	out := s.check(n, "")
	if len(out) <= maxProblems {
		return out
	}
	rest := out[maxProblems]
	rest.Reason = fmt.Sprintf("%d more mistakes from here on", len(out)-maxProblems)
	return append(out[:maxProblems:maxProblems], Problem{Error: rest.Error})
}

func (s *Schema) check(n *Node, path string) []Problem {
	if n.Kind == Null || s == nil || s.Type == Any {
		if s != nil && len(s.Required) > 0 {
			return s.missing(n, path)
		}
		return nil
	}
	if why := s.refuse(n); why != "" {
		return []Problem{{Error: Error{n.Line, n.Column, said(path) + why}, Path: path}}
	}
	var out []Problem
	switch s.Type {
	case ListOf:
		for i, item := range n.Items {
			if s.Elem != nil {
				out = append(out, s.Elem.check(item, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	case MapOf:
		if s.Fields == nil {
			return nil
		}
		for _, f := range n.Fields {
			at := strings.TrimPrefix(path+"."+f.Name, ".")
			field, ok := s.Fields[f.Name]
			if !ok {
				out = append(out, s.unknown(f, path))
				continue
			}
			out = append(out, field.check(f.Value, at)...)
		}
		out = append(out, s.missing(n, path)...)
	}
	return out
}

func said(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

// refuse says why a value is not of the type, "" if it is.
func (s *Schema) refuse(n *Node) string {
	want := map[Type]Kind{Text: Scalar, Number: Scalar, Bool: Scalar, ListOf: List, MapOf: Map}[s.Type]
	names := map[Kind]string{Scalar: "a value", List: "a list", Map: "a map"}
	switch {
	case n.Kind != want:
		return fmt.Sprintf("%s is here, %s is expected", names[n.Kind], names[want])
	case s.Type == Number && !number(n.Text):
		return fmt.Sprintf("%q is no number", n.Text)
	case s.Type == Bool && n.Tag != "!!bool":
		return fmt.Sprintf("%q is neither true nor false", n.Text)
	case s.Type == Text && s.Words != nil && !slices.Contains(s.Words, n.Text):
		return fmt.Sprintf("%q is none of %s", n.Text, strings.Join(s.Words, ", "))
	}
	return ""
}

func number(text string) bool {
	_, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		_, err = strconv.ParseUint(text, 0, 64)
	}
	return err == nil
}

func (s *Schema) unknown(f Field, path string) Problem {
	p := Problem{Path: path, Field: f.Name}
	best := max(len(f.Name)/3, 1) + 1
	for name := range s.Fields {
		d := hook.Distance(strings.ToLower(f.Name), strings.ToLower(name))
		if d < best || d == best && p.Near != "" && name < p.Near {
			p.Near, best = name, d
		}
	}
	reason := fmt.Sprintf("%sunknown field %q", said(path), f.Name)
	if p.Near != "" {
		reason += "; did you mean " + p.Near + "?"
	}
	p.Error = Error{f.Line, f.Column, reason}
	return p
}

func (s *Schema) missing(n *Node, path string) []Problem {
	var out []Problem
	for _, name := range s.Required {
		if v := n.Get(name); v == nil || v.Kind == Null {
			out = append(out, Problem{Error: Error{n.Line, n.Column, said(path) + "no " + name}, Path: path})
		}
	}
	return out
}
