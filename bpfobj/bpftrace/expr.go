package bpftrace

import (
	"strings"
)

// precedence of the binary operators, as in C; 0: none.
func precedence(op string) int {
	switch op {
	case "||":
		return 1
	case "&&":
		return 2
	case "|":
		return 3
	case "^":
		return 4
	case "&":
		return 5
	case "==", "!=":
		return 6
	case "<", ">", "<=", ">=":
		return 7
	case "<<", ">>":
		return 8
	case "+", "-":
		return 9
	case "*", "/", "%":
		return 10
	}
	return 0
}

// expression reads an expression, with ?:.
func (p *parser) expression() value {
	p.enter()
	defer p.leave()
	v := p.binary(1)
	if !p.accept("?") {
		return v
	}
	var a, b value
	if p.is(":") {
		a = v // the short form of newer versions
	} else {
		a = p.expression()
	}
	p.expect(":")
	b = p.expression()
	if a.root == nothing {
		return b
	}
	return a
}

func (p *parser) binary(lowest int) value {
	v := p.unary()
	for p.tok.kind == sign {
		prec := precedence(p.tok.text)
		if prec < lowest || prec == 0 || p.tok.text == "/" && p.endsPredicate() {
			return v
		}
		op := p.take()
		right := p.binary(prec + 1)
		switch {
		case op.text != "+" && op.text != "-":
			v = value{}
		case v.root == nothing: // a number and a pointer
			v = right
		}
	}
	return v
}

// endsPredicate tells whether the slash before the parser closes a predicate:
// then an action follows.
func (p *parser) endsPredicate() bool {
	if !p.state.predicate {
		return false
	}
	at := p.at
	p.space()
	closes := p.at < len(p.src) && p.src[p.at] == '{'
	p.at = at
	return closes
}

func (p *parser) unary() value {
	p.enter()
	defer p.leave()
	switch {
	case p.is("!"), p.is("~"), p.is("-"), p.is("+"):
		p.take()
		p.unary()
		return value{}
	case p.is("*"):
		p.take()
		return p.unary().follow()
	case p.is("&"):
		p.take()
		return p.unary()
	case p.is("++"), p.is("--"):
		at := p.take().at
		if p.tok.kind != variable && p.tok.kind != mapName {
			p.fail(at, "++ and -- need a variable or a map")
		}
		return p.unary()
	case p.is("("):
		if t, ok := p.cast(); ok {
			at := p.tok.at
			return p.state.cast(p.unary(), t, p, at)
		}
	}
	return p.postfix(p.primary())
}

// postfix reads members, elements and calls behind a value.
func (p *parser) postfix(v value) value {
	for {
		switch {
		case p.is("."), p.is("->"):
			p.take()
			switch p.tok.kind {
			case word:
				name := p.take()
				v = p.state.member(v, name.text, p, name.at)
			case number: // of a tuple
				p.take()
				v = opaque()
			default:
				p.fail(p.tok.at, "unexpected %s, expecting a field", p.tok)
			}
		case p.is("["):
			p.take()
			p.arguments("]")
			v = v.element()
		case p.is("++"), p.is("--"):
			p.take()
			v = value{}
		default:
			return v
		}
	}
}

// arguments reads expressions with commas, up to the closing bracket.
func (p *parser) arguments(closing string) int {
	n := 0
	for !p.accept(closing) {
		if n > 0 && !p.accept(",") {
			p.fail(p.tok.at, "unexpected %s, expecting %s or ,", p.tok, closing)
		}
		if p.is("{") { // a block that a macro takes
			p.block()
		} else {
			p.expression()
		}
		n++
	}
	return n
}

func (p *parser) primary() value {
	t := p.tok
	switch t.kind {
	case number, text, parameter:
		p.take()
		return value{}
	case variable:
		p.take()
		return p.state.variable(t.text)
	case mapName:
		p.take()
		if p.accept("[") {
			if p.arguments("]") == 0 {
				p.fail(t.at, "no key between the brackets of %s", t.text)
			}
		}
		return p.state.maps[t.text]
	case word:
		return p.named()
	case sign:
		if p.is("(") {
			return p.tuple()
		}
		if p.is("{") {
			p.block()
			return opaque()
		}
	}
	p.fail(t.at, "unexpected %s", t)
	return value{}
}

// tuple reads what is in brackets: one expression, or several.
func (p *parser) tuple() value {
	p.expect("(")
	if p.accept(")") {
		return opaque()
	}
	v := p.expression()
	for p.accept(",") {
		v = opaque()
		if p.is(")") {
			break
		}
		p.expression()
	}
	p.expect(")")
	return v
}

// reserved are words that begin no value.
func reserved(name string) bool {
	switch name {
	case "if", "else", "while", "for", "unroll", "break", "continue", "return", "struct", "union", "enum", "let", "config", "import", "macro", "fn":
		return true
	}
	return false
}

// named reads a builtin, a call or a constant.
func (p *parser) named() value {
	t := p.take()
	switch {
	case reserved(t.text):
		p.fail(t.at, "unexpected %s", t)
	case t.text == "sizeof" && p.is("("):
		p.sizeof()
		return value{}
	case t.text == "offsetof" && p.is("("):
		p.offsetof()
		return value{}
	}
	if !p.is("(") {
		for p.is("::") { // enum::VALUE
			p.take()
			p.expectKind(word, "a name")
		}
		return p.state.builtin(t.text, p, t.at)
	}
	p.take()
	first := p.tok
	n := p.arguments(")")
	if t.text == "reg" && n == 1 && first.kind == text {
		p.state.register(strings.Trim(first.text, `"`), p, first.at)
	}
	return value{}
}

func (p *parser) sizeof() {
	if _, ok := p.cast(); ok {
		return
	}
	p.expect("(")
	p.expression()
	p.expect(")")
}

// offsetof reads offsetof(struct x, a.b).
func (p *parser) offsetof() {
	p.expect("(")
	var v value
	if t, ok := p.startsType(); ok {
		v = t.value()
	} else {
		v = p.expression()
	}
	p.expect(",")
	for {
		name := p.expectKind(word, "a field")
		v = p.state.member(v, name.text, p, name.at)
		if !p.accept(".") {
			break
		}
	}
	p.expect(")")
}

// typeName is a type as a script names it.
type typeName struct {
	base     string // "struct sock", "uint64"
	pointers int
}

// value is what a value of the type can be asked for.
func (t typeName) value() value {
	if strings.HasPrefix(t.base, "struct ") || strings.HasPrefix(t.base, "union ") {
		return value{root: typed, name: t.base}
	}
	if t.pointers > 0 && !plainType(t.base) {
		return value{root: typed, name: t.base} // a typedef
	}
	return value{}
}

func (t typeName) String() string {
	if t.pointers == 0 {
		return t.base
	}
	return t.base + " " + strings.Repeat("*", t.pointers)
}

// plainType tells whether a name is of a type without members.
func plainType(name string) bool {
	switch name {
	case "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
		"int8_t", "int16_t", "int32_t", "int64_t", "int", "char", "short", "long", "unsigned", "signed", "void", "bool", "size_t", "string",
		"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "__u8", "__u16", "__u32", "__u64", "username", "inet", "buffer":
		return true
	}
	return false
}

// cast takes "(type)" if the bracket holds one.
func (p *parser) cast() (typeName, bool) {
	at, tok := p.at, p.tok
	p.take()
	t, ok := p.startsType()
	if ok && p.accept(")") {
		return t, true
	}
	if ok && (strings.HasPrefix(t.base, "struct ") || strings.HasPrefix(t.base, "union ")) {
		p.fail(p.tok.at, "unexpected %s, expecting )", p.tok)
	}
	p.at, p.tok = at, tok
	return typeName{}, false
}

// startsType takes a type's name if one stands here.
func (p *parser) startsType() (typeName, bool) {
	if p.tok.kind != word || reserved(p.tok.text) && p.tok.text != "struct" && p.tok.text != "union" && p.tok.text != "enum" {
		return typeName{}, false
	}
	known := plainType(p.tok.text)
	t := typeName{base: p.take().text}
	switch t.base {
	case "struct", "union", "enum":
		t.base += " " + p.expectKind(word, "a name").text
		known = true
	case "unsigned", "signed", "long", "short":
		for p.tok.kind == word && plainType(p.tok.text) {
			t.base += " " + p.take().text
		}
	}
	for p.accept("*") {
		t.pointers++
	}
	for known && p.is("[") {
		p.take()
		if p.tok.kind == number {
			p.take()
		}
		p.expect("]")
	}
	return t, known || t.pointers > 0
}

// typeName takes a type where one must stand.
func (p *parser) typeName() typeName {
	t, ok := p.startsType()
	if !ok && t.base == "" {
		p.fail(p.tok.at, "unexpected %s, expecting a type", p.tok)
	}
	return t
}
