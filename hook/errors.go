package hook

import "fmt"

// SyntaxError says where a hook breaks the grammar and what to write instead.
type SyntaxError struct {
	Text   string // the whole hook as given
	Column int    // of the fault, in bytes from 1
	Reason string // what is wrong
	Hint   string // what to do, may be empty
}

func (e *SyntaxError) Error() string {
	text := fmt.Sprintf("hook %q, column %d: %s", e.Text, e.Column, e.Reason)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}
