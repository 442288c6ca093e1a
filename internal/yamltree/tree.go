// Package yamltree reads YAML as a tree in which everything knows its line and
// column, and compares it with a table of fields. What is read is hostile: its
// size, its depth and what aliases make of it are bounded.
package yamltree

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

const (
	// maxSize bounds a file in bytes. The longest policies in tetragon's own
	// examples have 20 kB.
	maxSize = 1 << 20
	// maxDepth bounds nesting. Policies nest 8 deep.
	maxDepth = 64
	// maxNodes bounds the tree after aliases are followed: as many as a file
	// of maxSize can write down without them.
	maxNodes = maxSize / 2
	// maxDocuments bounds the documents of a file.
	maxDocuments = 1000
)

// Error is a problem with its place.
type Error struct {
	Line   int // from 1; 0 if not known
	Column int // in characters from 1; 0 if not known
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, max(e.Column, 1), e.Reason)
}

// FileError is an Error with the file that it is in.
type FileError struct {
	Path         string
	Line, Column int // from 1; 0 if not known
	Reason       string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, max(e.Column, 1), e.Reason)
}

// Kind is what a node is.
type Kind uint8

// The kinds.
const (
	Null Kind = iota // nothing is written, or null
	Scalar
	List
	Map
)

// Node is a value.
type Node struct {
	Kind   Kind
	Text   string  // of a scalar
	Tag    string  // of a scalar: "!!str", "!!int", "!!bool", "!!float", "!!timestamp"
	Items  []*Node // of a list
	Fields []Field // of a map, in their order
	Line   int
	Column int
}

// Field is one field of a map.
type Field struct {
	Name         string
	Value        *Node
	Line, Column int // of the name
}

// Get gives a field's value, nil if there is none or n is no map or nil.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// String gives a scalar's text, "" of everything else.
func (n *Node) String() string {
	if n == nil || n.Kind != Scalar {
		return ""
	}
	return n.Text
}

// List gives the items of a list; of nil and everything else none.
func (n *Node) List() []*Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// Parse reads the documents of a file. The error is an *Error.
func Parse(data []byte) (docs []*Node, err error) {
	if len(data) > maxSize {
		return nil, &Error{Reason: fmt.Sprintf("%d bytes, more than the %d that are read", len(data), maxSize)}
	}
	l, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		return nil, &Error{Reason: err.Error()}
	}
	room := maxNodes
	for {
		var raw yaml.Node
		err := l.Load(&raw)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, placed(err)
		}
		if len(docs) == maxDocuments {
			return nil, &Error{Line: raw.Line, Column: raw.Column, Reason: fmt.Sprintf("more than %d documents", maxDocuments)}
		}
		n, err := convert(&raw, &room, 0)
		if err != nil {
			return nil, err
		}
		docs = append(docs, n)
	}
}

// placed takes the place out of the library's error.
func placed(err error) *Error {
	if e := (*yaml.LoadError)(nil); errors.As(err, &e) {
		mark := e.Mark
		if mark.Line == 0 {
			mark = e.ContextMark
		}
		return &Error{Line: mark.Line, Column: mark.Column, Reason: e.Message}
	}
	return &Error{Reason: err.Error()}
}

func convert(raw *yaml.Node, room *int, depth int) (*Node, error) {
	n := &Node{Line: raw.Line, Column: raw.Column}
	if *room--; *room < 0 {
		return nil, &Error{raw.Line, raw.Column, "aliases make it too large"}
	}
	if depth > maxDepth+1 { // an alias inside of its own anchor
		return nil, &Error{raw.Line, raw.Column, fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	switch raw.Kind {
	case yaml.DocumentNode:
		if len(raw.Content) == 0 {
			return n, nil
		}
		return convert(raw.Content[0], room, depth+1)
	case yaml.AliasNode:
		if raw.Alias == nil {
			return nil, &Error{raw.Line, raw.Column, "alias of nothing"}
		}
		return convert(raw.Alias, room, depth+1)
	case yaml.ScalarNode:
		if n.Tag = raw.ShortTag(); n.Tag != "!!null" {
			n.Kind, n.Text = Scalar, raw.Value
		}
	case yaml.SequenceNode:
		n.Kind = List
		for _, c := range raw.Content {
			item, err := convert(c, room, depth+1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
		}
	case yaml.MappingNode:
		n.Kind = Map
		return n, n.fields(raw, room, depth)
	}
	return n, nil
}

// fields reads the fields of a map. Two of one name are an error: which of
// them counts depends on the program.
func (n *Node) fields(raw *yaml.Node, room *int, depth int) error {
	lines := map[string]int{}
	for i := 0; i+1 < len(raw.Content); i += 2 {
		k := raw.Content[i]
		if k.Kind != yaml.ScalarNode {
			return &Error{k.Line, k.Column, "the name of a field is no text"}
		}
		if first, ok := lines[k.Value]; ok {
			return &Error{k.Line, k.Column, fmt.Sprintf("field %q a second time, first in line %d", k.Value, first)}
		}
		lines[k.Value] = k.Line
		v, err := convert(raw.Content[i+1], room, depth+1)
		if err != nil {
			return err
		}
		// An alias stands where it is used, not where it was made.
		v.Line, v.Column = cmp.Or(raw.Content[i+1].Line, v.Line), cmp.Or(raw.Content[i+1].Column, v.Column)
		n.Fields = append(n.Fields, Field{Name: k.Value, Value: v, Line: k.Line, Column: k.Column})
	}
	return nil
}
