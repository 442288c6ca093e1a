package image

import (
	"encoding/binary"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// layouts finds fields of the kernel's structs by the kernel's own types.
type layouts struct {
	defs map[string]*kernel.Definition // structs by name
}

func newLayouts(defs []kernel.Definition) layouts {
	l := layouts{map[string]*kernel.Definition{}}
	for i := range defs {
		if d := &defs[i]; d.Kind == kernel.Struct {
			if _, again := l.defs[d.Name]; !again {
				l.defs[d.Name] = d
			}
		}
	}
	return l
}

// size gives a struct's size in bytes, 0 if it is not known.
func (l layouts) size(name string) uint64 {
	if d := l.defs[name]; d != nil {
		return d.Size
	}
	return 0
}

// offset gives where a field lies in a struct, in bytes; unnamed structs and
// unions are looked into.
func (l layouts) offset(name, field string) (uint64, bool) {
	d := l.defs[name]
	if d == nil {
		return 0, false
	}
	for _, m := range d.Members {
		if m.Name == field {
			return m.Offset / 8, true
		}
		if m.Name == "" {
			if in, ok := inside(strings.TrimLeft(string(m.Type), "cv"), field); ok {
				return m.Offset/8 + in, true
			}
		}
	}
	return 0, false
}

// inside finds a field in the text of an unnamed struct or union; see kernel.Type.
func inside(text, field string) (uint64, bool) {
	if !strings.HasPrefix(text, "{s") && !strings.HasPrefix(text, "{u") {
		return 0, false
	}
	_, text, _ = strings.Cut(text, ";")
	for text != "" && text[0] != '}' {
		head, rest, ok := strings.Cut(text, "=")
		if !ok {
			return 0, false
		}
		name, at, _ := strings.Cut(head, "@")
		at, _, _ = strings.Cut(at, ":")
		n := typeLen(rest)
		off := number(at) / 8
		if name == field {
			return off, true
		}
		if name == "" {
			if in, ok := inside(rest[:n], field); ok {
				return off + in, true
			}
		}
		text = strings.TrimPrefix(rest[n:], ";")
	}
	return 0, false
}

// typeLen gives the length of the type at the beginning of a text that ends
// with the semicolon of its field.
func typeLen(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
		case ';':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

func number(s string) (n uint64) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return n
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// record reads fields of one struct in the kernel's memory.
type record struct {
	s    *source
	l    layouts
	name string // of the struct
	at   uint64
}

// place gives the address of a field.
func (r record) place(field string) (uint64, bool) {
	off, ok := r.l.offset(r.name, field)
	return r.at + off, ok
}

// pointer reads a pointer.
func (r record) pointer(field string) (uint64, bool) {
	at, ok := r.place(field)
	if !ok {
		return 0, false
	}
	return r.s.mem.Pointer(at)
}

// word reads an int, 0 if it is not there.
func (r record) word(field string) uint64 {
	at, ok := r.place(field)
	b := r.s.mem.Bytes(at, 4)
	if !ok || len(b) < 4 {
		return 0
	}
	return uint64(binary.LittleEndian.Uint32(b))
}

// text reads the string that a pointer leads to.
func (r record) text(field string) (string, bool) {
	p, ok := r.pointer(field)
	if !ok || p == 0 {
		return "", false
	}
	return r.s.text(p)
}
