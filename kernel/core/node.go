package core

import (
	"strconv"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// node is a type, read from the text of kernel.Type. Qualifiers are left out:
// no rule looks at them.
type node struct {
	kind    nodeKind
	name    string   // of what has one
	count   uint64   // elements of an array
	elem    *node    // of an array, pointee, result
	params  []*node  // of a function
	size    uint64   // of an unnamed struct, union or enum, in bytes
	members []member // of an unnamed struct or union
	values  []kernel.EnumValue
}

// member is a field of a struct or union; its type is read when asked for.
type member struct {
	name   string
	typ    *node
	offset uint64 // in bits
	bits   uint64
}

type nodeKind uint8

const (
	void nodeKind = iota
	integer
	float
	pointer
	array
	structure
	union
	enum
	typedef
	function
)

func keyword(k nodeKind) string {
	switch k {
	case structure:
		return "struct"
	case union:
		return "union"
	case enum:
		return "enum"
	}
	return ""
}

func (k nodeKind) composite() bool { return k == structure || k == union }

// maxDepth bounds how deep types are followed; the kernel's nest to some 20.
const maxDepth = 64

// parse reads a type; nil for a text that is none.
func parse(t kernel.Type) *node {
	p := parser{rest: string(t)}
	n := p.typ()
	if p.bad || p.rest != "" {
		return nil
	}
	return n
}

type parser struct {
	rest  string
	depth int
	bad   bool
}

func (p *parser) typ() *node {
	p.rest = strings.TrimLeft(p.rest, "cvr")
	if p.depth++; p.depth > maxDepth || p.rest == "" {
		p.bad = true
	}
	defer func() { p.depth-- }()
	if p.bad {
		return &node{}
	}
	letter := p.rest[0]
	switch letter {
	case '0':
		p.rest = p.rest[1:]
		return &node{kind: void}
	case '*':
		p.rest = p.rest[1:]
		return &node{kind: pointer, elem: p.typ()}
	case '[':
		count := p.until(1, "]")
		n, err := strconv.ParseUint(count, 10, 64)
		p.bad = p.bad || err != nil
		return &node{kind: array, count: n, elem: p.typ()}
	case '(':
		return p.function()
	case '{':
		return p.unnamed()
	}
	return p.named(letter)
}

// until takes what is between the first skip bytes and end.
func (p *parser) until(skip int, end string) string {
	text, rest, ok := strings.Cut(p.rest[min(skip, len(p.rest)):], end)
	if !ok {
		p.bad = true
	}
	p.rest = rest
	return text
}

func (p *parser) named(letter byte) *node {
	kind, ok := map[byte]nodeKind{'s': structure, 'u': union, 'e': enum, 't': typedef, 'i': integer, 'f': float}[letter]
	if !ok || len(p.rest) < 2 || p.rest[1] != ':' {
		p.bad = true
		return &node{}
	}
	name := p.rest[2:]
	if end := strings.IndexAny(name, ",);{}["); end >= 0 {
		name = name[:end]
	}
	p.rest = p.rest[2+len(name):]
	return &node{kind: kind, name: name}
}

func (p *parser) function() *node {
	n := &node{kind: function}
	p.rest = p.rest[1:]
	for !p.bad && !strings.HasPrefix(p.rest, ")") {
		if rest, ok := strings.CutPrefix(p.rest, "."); ok { // variadic
			p.rest = rest
			continue
		}
		n.params = append(n.params, p.typ())
		p.rest = strings.TrimPrefix(p.rest, ",")
		p.bad = p.bad || p.rest == ""
	}
	if p.bad {
		return n
	}
	p.rest = p.rest[1:]
	n.elem = p.typ()
	return n
}

func (p *parser) unnamed() *node {
	head := p.until(1, ";")
	if p.bad || head == "" {
		p.bad = true
		return &node{}
	}
	size, err := strconv.ParseUint(head[1:], 10, 64)
	n := &node{size: size}
	p.bad = err != nil
	switch head[0] {
	case 's':
		n.kind = structure
	case 'u':
		n.kind = union
	case 'e':
		n.kind = enum
	default:
		p.bad = true
	}
	for !p.bad && !strings.HasPrefix(p.rest, "}") {
		if n.kind == enum {
			name := p.until(0, "=")
			v, err := strconv.ParseInt(p.until(0, ";"), 10, 64)
			p.bad = p.bad || err != nil
			n.values = append(n.values, kernel.EnumValue{Name: name, Value: v})
			continue
		}
		n.members = append(n.members, p.member())
	}
	if !p.bad {
		p.rest = p.rest[1:]
	}
	return n
}

func (p *parser) member() member {
	m := member{name: p.until(0, "@")}
	at, bits, field := strings.Cut(p.until(0, "="), ":")
	var err, err2 error
	m.offset, err = strconv.ParseUint(at, 10, 64)
	if field {
		m.bits, err2 = strconv.ParseUint(bits, 10, 64)
	}
	if p.bad = p.bad || err != nil || err2 != nil; p.bad {
		return m
	}
	m.typ = p.typ()
	rest, ok := strings.CutPrefix(p.rest, ";")
	p.rest, p.bad = rest, p.bad || !ok
	return m
}
