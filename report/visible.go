package report

import "io"

// Visible replaces control characters, which names in a hostile file or of a
// process may contain and terminals obey: only line ends and tabs are left.
func Visible(s string) string {
	b := []byte(s)
	var last byte
	visible(b, &last)
	return string(b)
}

// visible works in place; last is the byte before b, and then the last of b.
func visible(b []byte, last *byte) {
	for i, c := range b {
		switch {
		case c < ' ' && c != '\n' && c != '\t', c == 0x7f:
			b[i] = '?'
		case *last == 0xc2 && c >= 0x80 && c < 0xa0: // U+0080 to U+009F, CSI among them
			b[i] = 0xa0 // a space
		}
		*last = c
	}
}

// visibleWriter makes all that is written to w visible.
type visibleWriter struct {
	w    io.Writer
	last byte
}

func (v *visibleWriter) Write(p []byte) (int, error) {
	b := append([]byte(nil), p...) // a writer may not change what it is given
	visible(b, &v.last)
	return v.w.Write(b)
}
