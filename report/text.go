package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// width is the widest line of text output: it fits a 100-column window.
const width = 98

// spelled is the hook as its author wrote it.
func spelled(h hook.Hook) string {
	switch {
	case h.Text != "":
		return strings.TrimSpace(h.Text)
	case h.Kind == "":
		return ""
	}
	return h.String()
}

// buffered writes text for a terminal through a buffer and keeps the first error.
func buffered(w io.Writer, write func(*bufio.Writer)) error {
	b := bufio.NewWriter(&visibleWriter{w: w})
	write(b)
	return b.Flush()
}

// columns is a table that is aligned when it is printed.
type columns struct {
	rows  [][]string
	right map[int]bool // columns aligned to the right
}

func (c *columns) add(cells ...string) { c.rows = append(c.rows, cells) }

// print writes the rows, each after indent; the last column is not padded and
// is wrapped where it would cross the width.
func (c *columns) print(w *bufio.Writer, indent string) {
	var widths []int
	for _, row := range c.rows {
		for i, cell := range row[:max(len(row)-1, 0)] {
			for len(widths) <= i {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range c.rows {
		var b strings.Builder
		b.WriteString(indent)
		for i, cell := range row[:max(len(row)-1, 0)] {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if c.right[i] {
				b.WriteString(pad + cell + "  ")
			} else {
				b.WriteString(cell + pad + "  ")
			}
		}
		if len(row) > 0 {
			start := utf8.RuneCountInString(b.String())
			b.WriteString(wrap(row[len(row)-1], max(width-start, 24), strings.Repeat(" ", start)))
		}
		w.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

// keep stands for a space that wrap does not break at.
const keep = "\u00a0"

// wrap breaks text at spaces so that no line is longer than columns; lines
// after the first begin with indent.
func wrap(text string, columns int, indent string) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case b.Len() == 0:
		case column+1+n > columns:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return strings.ReplaceAll(b.String(), keep, " ")
}

// short cuts the middle out of a long name.
func short(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	head := (most - 3) * 2 / 3
	return string(runes[:head]) + "..." + string(runes[len(runes)-(most-3-head):])
}

// position writes "a.c:12": the file without its directories.
func position(file string, line int) string {
	file = file[strings.LastIndexByte(file, '/')+1:]
	if file == "" || line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// where writes "main+0x21", or the address outside of symbols.
func where(s *sites.Site) string {
	switch {
	case s.Symbol == "":
		return fmt.Sprintf("%#x", s.Address)
	case s.Offset == 0:
		return short(s.Symbol, 32)
	}
	return fmt.Sprintf("%s+%#x", short(s.Symbol, 24), s.Offset)
}

// maxKept is how long a caller with its line may be to stay on one line; it
// fits the last column of a table with long symbols.
const maxKept = 28

// chain writes the callers of a site, innermost first, to be wrapped.
func chain(callers []sites.Frame) string {
	var parts []string
	for _, f := range callers {
		part := strings.ReplaceAll(short(f.Function, 28), " ", keep)
		if p := position(f.File, f.Line); p != "" {
			part += " " + p
		}
		if len(part) <= maxKept {
			part = strings.ReplaceAll(part, " ", keep)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " <"+keep)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
