package kernel

import "strings"

// Definer finds definitions by name, as a Kernel does.
type Definer interface {
	Definitions(name string) ([]Definition, error)
}

// maxSteps bounds how many typedefs, pointers and unnamed structs are followed
// for one member: hostile definitions may go round in circles.
const maxSteps = 1000

// MemberType gives the type of a member of the struct or union that t is or
// points to, those of its unnamed members too. The answer is NotKnown where
// the definition is not there, No where it has no such member or t is no struct.
func MemberType(d Definer, t Type, name string) (member Type, found Answer, err error) {
	steps := maxSteps
	return memberType(d, t, name, &steps)
}

func memberType(d Definer, t Type, name string, steps *int) (Type, Answer, error) {
	t, known, err := target(d, t, steps)
	if err != nil || !known {
		return "", NotKnown, err
	}
	lists, err := members(d, t)
	if err != nil {
		return "", NotKnown, err
	}
	if lists == nil {
		if strings.HasPrefix(string(t), "s:") || strings.HasPrefix(string(t), "u:") {
			return "", NotKnown, nil
		}
		return "", No, nil
	}
	answer := No
	for _, list := range lists {
		for _, m := range list {
			if *steps--; *steps < 0 {
				return "", NotKnown, nil
			}
			if m.Name == name {
				return m.Type, Yes, nil
			}
			if m.Name != "" {
				continue
			}
			inner, found, err := memberType(d, m.Type, name, steps)
			if err != nil || found == Yes {
				return inner, found, err
			}
			if found == NotKnown {
				answer = NotKnown
			}
		}
	}
	return "", answer, nil
}

// Element gives the type of an element of an array, or of what a pointer
// points to; No if t is neither.
func Element(d Definer, t Type) (Type, Answer, error) {
	for range maxSteps {
		switch {
		case t == "":
			return "", NotKnown, nil
		case t[0] == '*':
			return t[1:], Yes, nil
		case t[0] == '[':
			_, elem, _ := strings.Cut(string(t), "]")
			return Type(elem), Is(elem != ""), nil
		case qualifier(t[0]) != "":
			t = t[1:]
		case strings.HasPrefix(string(t), "t:"):
			next, ok, err := typedef(d, t)
			if err != nil || !ok {
				return "", NotKnown, err
			}
			t = next
		default:
			return "", No, nil
		}
	}
	return "", NotKnown, nil
}

// target follows qualifiers, typedefs and pointers to what has members.
func target(d Definer, t Type, steps *int) (Type, bool, error) {
	for ; *steps > 0; *steps-- {
		switch {
		case t == "":
			return "", false, nil
		case t[0] == '*', qualifier(t[0]) != "":
			t = t[1:]
		case strings.HasPrefix(string(t), "t:"):
			next, ok, err := typedef(d, t)
			if err != nil || !ok {
				return "", false, err
			}
			t = next
		default:
			return t, true, nil
		}
	}
	return "", false, nil
}

func typedef(d Definer, t Type) (Type, bool, error) {
	defs, err := d.Definitions(string(t[2:]))
	if err != nil {
		return "", false, err
	}
	for _, def := range defs {
		if def.Kind == Typedef {
			return def.Target, true, nil
		}
	}
	return "", false, nil
}

// members gives the members of a struct or union: one list for each
// definition of its name; nil if there is none.
func members(d Definer, t Type) ([][]Member, error) {
	text := string(t)
	if strings.HasPrefix(text, "{") {
		return [][]Member{unnamedMembers(text)}, nil
	}
	kind := Struct
	switch {
	case strings.HasPrefix(text, "s:"):
	case strings.HasPrefix(text, "u:"):
		kind = Union
	default:
		return nil, nil
	}
	defs, err := d.Definitions(text[2:])
	if err != nil {
		return nil, err
	}
	var out [][]Member
	for _, def := range defs {
		if def.Kind == kind {
			out = append(out, def.Members)
		}
	}
	return out, nil
}

// unnamedMembers reads "{s16;a@0=T;b@64:3=T;}"; what cannot be read ends it.
func unnamedMembers(text string) []Member {
	out := []Member{}
	_, rest, ok := strings.Cut(text, ";")
	for ok && rest != "" && rest[0] != '}' {
		name, after, found := strings.Cut(rest, "@")
		_, typ, found2 := strings.Cut(after, "=")
		end := typeEnd(typ, maxDepth)
		if !found || !found2 || end <= 0 || end >= len(typ) || typ[end] != ';' {
			break
		}
		out = append(out, Member{Name: name, Type: Type(typ[:end])})
		rest = typ[end+1:]
	}
	return out
}

// typeEnd is the length of the type that s begins with; 0 if it is none.
func typeEnd(s string, depth int) int {
	if s == "" || depth == 0 {
		return 0
	}
	inner := func(skip int) int {
		if n := typeEnd(s[skip:], depth-1); n > 0 {
			return skip + n
		}
		return 0
	}
	switch s[0] {
	case '0':
		return 1
	case '*', 'c', 'v', 'r':
		return inner(1)
	case '[':
		return inner(strings.IndexByte(s, ']') + 1)
	case '{':
		return closing(s, '{', '}')
	case '(':
		return inner(closing(s, '(', ')'))
	}
	if len(s) < 3 || s[1] != ':' {
		return 0
	}
	if n := strings.IndexAny(s, ",);{}["); n > 0 {
		return n
	}
	return len(s)
}

// closing is the place behind the bracket that closes the first one; 0 if
// there is none.
func closing(s string, open, shut byte) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
