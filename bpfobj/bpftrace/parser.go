package bpftrace

import (
	"slices"
	"strings"
)

// parser reads a script. It does so twice: first to learn what kinds of
// values maps hold, then to note what is read.
type parser struct {
	lexer
	tok   token // the next one
	depth int
	state state
}

// take gives the next token and goes on.
func (p *parser) take() token {
	t := p.tok
	p.tok = p.next()
	return t
}

func (p *parser) is(s string) bool {
	return (p.tok.kind == sign || p.tok.kind == word) && p.tok.text == s
}

// accept takes the token if it is s.
func (p *parser) accept(s string) bool {
	if !p.is(s) {
		return false
	}
	p.take()
	return true
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail(p.tok.at, "unexpected %s, expecting %s", p.tok, s)
	}
}

func (p *parser) expectKind(k tokenKind, what string) token {
	if p.tok.kind != k {
		p.fail(p.tok.at, "unexpected %s, expecting %s", p.tok, what)
	}
	return p.take()
}

// enter and leave bound the recursion.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok.at, "nested more than %d deep", maxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

// script reads a whole script.
func (p *parser) script() {
	if strings.HasPrefix(p.src, "#!") {
		p.at = lineEnd(p.src, 0)
	}
	probes := 0
	for p.tok = p.next(); p.tok.kind != end; {
		switch {
		case p.tok.kind == directive && probes == 0:
			p.state.directive(p.take().text, p)
		case p.tok.kind == word && p.definition():
		default:
			p.probe()
			probes++
		}
	}
	p.state.end(p)
}

// definition reads what is no probe; false if the word begins one.
func (p *parser) definition() bool {
	switch p.tok.text {
	case "struct", "union", "enum", "typedef":
		p.cDefinition()
	case "config":
		p.take()
		p.expect("=")
		p.config()
	case "import":
		p.take()
		p.expectKind(text, "a string")
		p.accept(";")
	case "let":
		p.take()
		p.expectKind(mapName, "a map")
		p.expect("=")
		p.expression()
		p.expect(";")
	case "macro", "fn":
		at := p.take().at
		p.state.macro(p.expectKind(word, "a name").text, p, at)
		p.brackets("(", ")")
		for !p.is("{") && p.tok.kind != end {
			p.take() // the type of the result
		}
		p.state.begin(nil, p)
		p.block()
	default:
		return false
	}
	return true
}

// cDefinition skips a definition in C, which bpftrace gives to clang.
func (p *parser) cDefinition() {
	first := p.take()
	if p.tok.kind == word && first.text != "typedef" {
		p.state.define(first.text + " " + p.tok.text)
	}
	for !p.is(";") {
		switch {
		case p.tok.kind == end:
			p.fail(first.at, "definition of %s is not closed", first.text)
		case p.is("{"):
			p.brackets("{", "}")
		default:
			p.take()
		}
	}
	p.take()
}

// brackets skips from an opening bracket to the closing one.
func (p *parser) brackets(open, closing string) {
	at := p.tok.at
	p.expect(open)
	for depth := 1; depth > 0; p.take() {
		switch {
		case p.tok.kind == end:
			p.fail(at, "%s is not closed", open)
		case p.is(open):
			depth++
		case p.is(closing):
			depth--
		}
	}
}

// config reads config = { name = value; ... }.
func (p *parser) config() {
	p.expect("{")
	for !p.accept("}") {
		name := p.expectKind(word, "a name")
		p.expect("=")
		if p.tok.kind != word && p.tok.kind != number && p.tok.kind != text {
			p.fail(p.tok.at, "unexpected %s, expecting a value", p.tok)
		}
		if value := p.take(); name.text == "missing_probes" {
			p.state.missing = strings.Trim(value.text, `"`)
		}
		if !p.accept(";") && !p.accept(",") && !p.is("}") {
			p.fail(p.tok.at, "unexpected %s, expecting ;", p.tok)
		}
	}
}

// probe reads attach points, predicate and action.
func (p *parser) probe() {
	p.at = p.tok.at // attach points are no tokens
	var points []point
	for {
		points = append(points, p.attachPoint())
		p.space()
		if p.at == len(p.src) || p.src[p.at] != ',' {
			break
		}
		p.at++
		if p.space(); p.at < len(p.src) && strings.IndexByte("{/", p.src[p.at]) >= 0 {
			break // bpftrace allows a comma behind the last
		}
	}
	p.state.begin(points, p)
	p.tok = p.next()
	if p.accept("/") {
		p.state.predicate = true
		p.expression()
		p.state.predicate = false
		p.expect("/")
	}
	p.block()
	p.state.finish()
}

// block reads { statements }.
func (p *parser) block() {
	p.enter()
	defer p.leave()
	p.expect("{")
	for !p.accept("}") {
		if p.statement() {
			continue
		}
		if !p.accept(";") && !p.is("}") {
			p.fail(p.tok.at, "unexpected %s, expecting ; or }", p.tok)
		}
	}
}

// statement reads one; true if no semicolon need follow.
func (p *parser) statement() bool {
	if p.tok.kind == word {
		switch p.tok.text {
		case "if":
			p.ifElse()
			return true
		case "while", "unroll":
			p.take()
			p.expression()
			p.block()
			return true
		case "for":
			p.forLoop()
			return true
		case "break", "continue":
			p.take()
			return false
		case "return":
			p.take()
			if !p.is(";") && !p.is("}") {
				p.expression()
			}
			return false
		case "let":
			p.let()
			return false
		}
	}
	if p.is("{") {
		p.block()
		return true
	}
	p.assignment()
	return false
}

func (p *parser) ifElse() {
	p.enter()
	defer p.leave()
	p.expect("if")
	p.expression()
	p.block()
	if !p.accept("else") {
		return
	}
	if p.is("if") {
		p.ifElse()
		return
	}
	p.block()
}

// forLoop reads for ($x : @map) and for ($i : 0..10).
func (p *parser) forLoop() {
	p.expect("for")
	bracket := p.accept("(")
	v := p.expectKind(variable, "a variable")
	p.state.set(v.text, opaque())
	p.expect(":")
	p.expression()
	if p.accept("..") {
		p.expression()
	}
	if bracket {
		p.expect(")")
	}
	p.block()
}

func (p *parser) let() {
	p.take()
	v := p.expectKind(variable, "a variable")
	value := opaque()
	if p.accept(":") {
		value = p.typeName().value()
	}
	if p.accept("=") {
		value = p.expression()
	}
	p.state.set(v.text, value)
}

// assignment reads an expression that may be assigned to something.
func (p *parser) assignment() {
	first := p.tok
	p.expression()
	ops := []string{"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
	if p.tok.kind != sign || !slices.Contains(ops, p.tok.text) {
		return
	}
	if first.kind != variable && first.kind != mapName {
		p.fail(p.tok.at, "unexpected %s, expecting ; or }", p.tok)
	}
	op := p.take()
	value := p.expression()
	if op.text == "=" {
		p.state.set(first.text, value)
	}
}
