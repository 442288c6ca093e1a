package kernel

import (
	"strconv"
	"strings"
)

// C gives the type as a C declaration of name, which may be empty. A text that
// is not a Type comes back as it is.
func (t Type) C(name string) string {
	p := &cText{rest: string(t)}
	s := p.declare(name, false)
	if p.bad || p.rest != "" {
		return strings.TrimSpace(string(t) + " " + name)
	}
	return s
}

// C gives the signature as a C declaration of a function.
func (p Proto) C(name string) string {
	var params []string
	for _, a := range p.Params {
		params = append(params, a.Type.C(a.Name))
	}
	if p.Variadic {
		params = append(params, "...")
	}
	if len(params) == 0 {
		params = []string{"void"}
	}
	return p.Result.C(name + "(" + strings.Join(params, ", ") + ")")
}

// cText turns prefix notation into C, where a declaration grows around the
// name: what is read first is nearest to it.
type cText struct {
	rest  string
	depth int
	bad   bool
}

// maxDepth keeps hostile texts from using up the stack. Real types nest less
// than 20 deep.
const maxDepth = 200

// declare writes the declaration of name. pointed tells that the name stands
// behind an asterisk, which binds weaker than brackets.
func (p *cText) declare(name string, pointed bool) string {
	if p.depth++; p.depth > maxDepth || p.rest == "" {
		p.bad = true
	}
	defer func() { p.depth-- }()
	if p.bad {
		return ""
	}
	letter := p.rest[0]
	if word := qualifier(letter); word != "" {
		p.rest = p.rest[1:]
		return p.qualified(word, name)
	}
	switch letter {
	case '*':
		p.rest = p.rest[1:]
		return p.declare("*"+name, true)
	case '[':
		n, rest, ok := strings.Cut(p.rest[1:], "]")
		if !ok {
			p.bad = true
			return ""
		}
		p.rest = rest
		return p.declare(bracketed(name, pointed)+"["+n+"]", false)
	case '(':
		p.rest = p.rest[1:]
		params := p.params()
		return p.declare(bracketed(name, pointed)+"("+params+")", false)
	}
	return strings.TrimRight(p.base()+" "+name, " ")
}

func qualifier(letter byte) string {
	return map[byte]string{'c': "const", 'v': "volatile", 'r': "restrict"}[letter]
}

// qualified puts a qualifier behind the asterisk it belongs to, or before the
// type.
func (p *cText) qualified(word, name string) string {
	if strings.HasPrefix(p.rest, "*") {
		p.rest = p.rest[1:]
		return p.declare(strings.TrimRight("*"+word+" "+name, " "), true)
	}
	return word + " " + p.declare(name, false)
}

// bracketed puts a name that stands behind an asterisk in brackets.
func bracketed(name string, pointed bool) string {
	if pointed {
		return "(" + name + ")"
	}
	return name
}

func (p *cText) params() string {
	var list []string
	for !p.bad {
		if rest, ok := strings.CutPrefix(p.rest, ")"); ok {
			p.rest = rest
			break
		}
		if rest, ok := strings.CutPrefix(p.rest, ".)"); ok {
			p.rest = rest
			list = append(list, "...")
			break
		}
		list = append(list, p.declare("", false))
		if rest, ok := strings.CutPrefix(p.rest, ","); ok {
			p.rest = rest
		} else if !strings.HasPrefix(p.rest, ")") {
			p.bad = true
		}
	}
	if len(list) == 0 {
		return "void"
	}
	return strings.Join(list, ", ")
}

// base reads what does not contain another type, or an unnamed struct.
func (p *cText) base() string {
	if rest, ok := strings.CutPrefix(p.rest, "0"); ok {
		p.rest = rest
		return "void"
	}
	if strings.HasPrefix(p.rest, "{") {
		return p.unnamed()
	}
	if len(p.rest) < 2 || p.rest[1] != ':' {
		p.bad = true
		return ""
	}
	word, ok := map[byte]string{'s': "struct ", 'u': "union ", 'e': "enum ", 't': "", 'i': "", 'f': "", 'w': "struct "}[p.rest[0]]
	name := p.rest[2:]
	if end := strings.IndexAny(name, ",);{}["); end >= 0 {
		name = name[:end]
	}
	if p.bad = !ok || name == ""; p.bad {
		return ""
	}
	p.rest = p.rest[2+len(name):]
	return word + name
}

// unnamed reads "{s16;a@0=T;b@64:3=T;}" and "{e4;A=1;}".
func (p *cText) unnamed() string {
	head, rest, ok := strings.Cut(p.rest[1:], ";")
	if !ok || head == "" {
		p.bad = true
		return ""
	}
	p.rest = rest
	var b strings.Builder
	switch head[0] {
	case 's':
		b.WriteString("struct {")
	case 'u':
		b.WriteString("union {")
	case 'e':
		return p.unnamedEnum()
	default:
		p.bad = true
	}
	for !p.bad {
		if rest, ok := strings.CutPrefix(p.rest, "}"); ok {
			p.rest = rest
			b.WriteString(" }")
			break
		}
		b.WriteString(" " + p.field() + ";")
	}
	return b.String()
}

func (p *cText) field() string {
	name, rest, ok := strings.Cut(p.rest, "@")
	at, rest, ok2 := strings.Cut(rest, "=")
	if !ok || !ok2 {
		p.bad = true
		return ""
	}
	p.rest = rest
	s := p.declare(name, false)
	if _, bits, ok := strings.Cut(at, ":"); ok {
		s += " : " + bits
	}
	if rest, ok := strings.CutPrefix(p.rest, ";"); ok {
		p.rest = rest
	} else {
		p.bad = true
	}
	return s
}

func (p *cText) unnamedEnum() string {
	body, rest, ok := strings.Cut(p.rest, "}")
	if !ok {
		p.bad = true
		return ""
	}
	p.rest = rest
	return "enum { " + strings.ReplaceAll(strings.TrimSuffix(body, ";"), ";", ", ") + " }"
}

// C gives the definition as C text, with offsets in bytes.
func (d Definition) C() string {
	var b strings.Builder
	switch d.Kind {
	case Typedef:
		return "typedef " + d.Target.C(d.Name) + ";"
	case Enum:
		b.WriteString("enum " + d.Name + " {\n")
		for _, v := range d.Values {
			b.WriteString("\t" + v.Name + " = " + strconv.FormatInt(v.Value, 10) + ",\n")
		}
		return b.String() + "};"
	case Union:
		b.WriteString("union " + d.Name + " {\n")
	default:
		b.WriteString("struct " + d.Name + " {\n")
	}
	for _, m := range d.Members {
		b.WriteString("\t" + m.Type.C(m.Name))
		if m.BitSize != 0 {
			b.WriteString(" : " + strconv.FormatUint(m.BitSize, 10))
		}
		b.WriteString("; // at " + strconv.FormatUint(m.Offset/8, 10))
		if m.Offset%8 != 0 || m.BitSize != 0 {
			b.WriteString(", bit " + strconv.FormatUint(m.Offset%8, 10))
		}
		b.WriteString("\n")
	}
	return b.String() + "}; // " + strconv.FormatUint(d.Size, 10) + " bytes"
}
