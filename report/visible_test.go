package report

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"add\tx\n":       "add\tx\n",
		"\x1b[2Jadd\a":   "?[2Jadd?",
		"a\rb\x7fc\x00":  "a?b?c?",
		"\u009b2J":       "\u00a02J",
		"größe µ \u00a0": "größe µ \u00a0",
		"\xff\x9b":       "\xff\x9b", // no UTF-8: terminals show a replacement
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

// The buffer ends in the middle of a character.
func TestVisibleSplit(t *testing.T) {
	var out strings.Builder
	err := buffered(&out, func(b *bufio.Writer) {
		fmt.Fprint(b, strings.Repeat("a", b.Size()-1), "\u009b\x1b")
	})
	if got := out.String(); err != nil || !strings.HasSuffix(got, "a\u00a0?") {
		t.Errorf("ends in %q, %v", got[len(got)-6:], err)
	}
}
