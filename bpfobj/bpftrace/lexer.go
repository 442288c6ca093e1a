package bpftrace

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// maxSize bounds a script in bytes. The longest of bpftrace's own has 8 kB.
	maxSize = 1 << 20
	// maxDepth bounds how deep expressions and blocks nest.
	maxDepth = 200
)

// SyntaxError is a place where bpftrace would not go on.
type SyntaxError struct {
	Path         string
	Line, Column int // from 1; the column in characters
	Reason       string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Reason)
}

type tokenKind uint8

const (
	end       tokenKind = iota
	word                // identifier or keyword
	number              // with suffix
	text                // "string"
	variable            // $x
	parameter           // $1, $#
	mapName             // @x, @
	sign                // operators and brackets
	directive           // #... to the end of the line
)

type token struct {
	kind tokenKind
	text string
	at   int // offset in the script
}

// String names the token in errors.
func (t token) String() string {
	switch t.kind {
	case end:
		return "end of file"
	case directive:
		return "preprocessor directive"
	}
	if len(t.text) > 40 {
		return t.text[:40] + "..."
	}
	return t.text
}

// signs are the operators, longest first.
func signs() []string {
	return []string{
		"<<=", ">>=", "...", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "==", "!=", "<=", ">=", "&&", "||", "<<", ">>", "->", "..", "=>", "::",
	}
}

// lexer gives the tokens of a script. It stops at the first error.
type lexer struct {
	path string
	src  string
	at   int
}

// failure is how the parser leaves its recursion; Read turns it into an error.
type failure struct{ err *SyntaxError }

// fail ends the parsing; it does not return.
func (l *lexer) fail(at int, format string, args ...any) {
	line, column := place(l.src, at)
	panic(failure{&SyntaxError{l.path, line, column, fmt.Sprintf(format, args...)}})
}

// place gives line and column of an offset, from 1, the column in characters.
func place(src string, at int) (line, column int) {
	before := src[:min(at, len(src))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// space skips blanks and comments.
func (l *lexer) space() {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "//"):
			l.at = lineEnd(l.src, l.at)
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				l.fail(l.at, "comment is not closed")
			}
			l.at += n + 4
		default:
			return
		}
	}
}

func lineEnd(src string, at int) int {
	if n := strings.IndexByte(src[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(src)
}

// next takes a token.
func (l *lexer) next() token {
	l.space()
	t := token{at: l.at}
	if l.at == len(l.src) {
		return t
	}
	rest := l.src[l.at:]
	n := 0
	switch c := rest[0]; {
	case letter(c):
		t.kind, n = word, wordLen(rest)
	case digit(c):
		t.kind, n = number, l.number(rest)
	case c == '"':
		t.kind, n = text, l.string(rest)
	case c == '\'':
		t.kind, n = number, l.char(rest)
	case c == '$':
		t.kind, n = l.dollar(rest)
	case c == '@':
		t.kind, n = mapName, 1+wordLen(rest[1:])
	case c == '#':
		t.kind, n = directive, l.directive(rest)
	default:
		t.kind, n = sign, l.sign(rest)
	}
	t.text = rest[:n]
	l.at += n
	return t
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// wordLen is the length of the identifier that s begins with.
func wordLen(s string) int {
	n := 0
	for n < len(s) && (letter(s[n]) || n > 0 && digit(s[n])) {
		n++
	}
	return n
}

func (l *lexer) number(s string) int {
	n := 1
	for n < len(s) && (letter(s[n]) || digit(s[n])) {
		n++
	}
	body := strings.ReplaceAll(s[:n], "_", "")
	if strings.HasPrefix(body, "0x") || strings.HasPrefix(body, "0X") {
		if hex := strings.TrimRight(body[2:], "uUlL"); hex == "" || strings.Trim(hex, "0123456789abcdefABCDEF") != "" {
			l.fail(l.at, "bad number %s", s[:n])
		}
		return n
	}
	suffix := strings.TrimLeft(body, "0123456789")
	if after, ok := strings.CutPrefix(strings.ToLower(suffix), "e"); ok && after != "" {
		suffix = strings.TrimLeft(after, "0123456789")
	}
	switch suffix {
	case "", "u", "l", "ul", "ll", "ull", "U", "L", "UL", "LL", "ULL", "ns", "us", "ms", "s", "m", "h", "d":
		return n
	}
	l.fail(l.at, "bad number %s", s[:n])
	return n
}

func (l *lexer) string(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			l.fail(l.at+i, "string is not closed")
		}
	}
	l.fail(l.at, "string is not closed")
	return 0
}

func (l *lexer) char(s string) int {
	n := 2
	if len(s) > 1 && s[1] == '\\' {
		n = 3
	}
	if len(s) <= n || s[n] != '\'' {
		l.fail(l.at, "bad character constant")
	}
	return n + 1
}

func (l *lexer) dollar(s string) (tokenKind, int) {
	if n := wordLen(s[1:]); n > 0 {
		return variable, 1 + n
	}
	n := 1
	for n < len(s) && digit(s[n]) {
		n++
	}
	if n == 1 && strings.HasPrefix(s, "$#") {
		n = 2
	}
	if n == 1 {
		l.fail(l.at, "$ without a name")
	}
	return parameter, n
}

// directive takes a line of the preprocessor, with those it continues on.
func (l *lexer) directive(s string) int {
	n := 0
	for {
		n = lineEnd(s, n)
		if n == len(s) || !strings.HasSuffix(strings.TrimRight(s[:n], "\r"), "\\") {
			return n
		}
		n++
	}
}

func (l *lexer) sign(s string) int {
	for _, op := range signs() {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	if strings.IndexByte("+-*/%&|^~!<>=?:;,.(){}[]", s[0]) < 0 {
		r, n := utf8.DecodeRuneInString(s)
		l.fail(l.at, "invalid character %q", string(r)[:max(n, 1)])
	}
	return 1
}
