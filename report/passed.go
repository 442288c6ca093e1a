package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Passed is something in a directory that holds nothing to check.
type Passed struct {
	Dir    string // as it was given
	Path   string
	Reason string // one clause: what it is
}

// maxPassed is how many names are shown of files that are passed over for one
// reason.
const maxPassed = 3

// passedGroup is what is passed over in one directory for one reason.
type passedGroup struct {
	dir, reason string
	names       []string
	count       int
}

// passedOver groups files by directory and reason, in their order.
func passedOver(list []Passed) []passedGroup {
	var out []passedGroup
	at := map[[2]string]int{}
	for _, p := range list {
		key := [2]string{p.Dir, p.Reason}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, passedGroup{dir: p.Dir, reason: p.Reason})
		}
		g := &out[i]
		if g.count++; g.count <= maxPassed {
			g.names = append(g.names, p.Path)
		}
	}
	return out
}

// String says how many there are, and why.
func (g passedGroup) String() string {
	text := fmt.Sprintf("%d passed over, %s: %s", g.count, g.reason, strings.Join(g.names, ", "))
	if g.count > len(g.names) {
		text += fmt.Sprintf(" and %d more", g.count-len(g.names))
	}
	return text
}

// passedText sums up what was passed over; full lists all of it.
func (d *Document) passedText(b *bufio.Writer, full bool) {
	for _, g := range passedOver(d.Passed) {
		fmt.Fprintf(b, "\n%s\n", wrap(g.dir+": "+g.String(), width, "  "))
		for _, p := range d.Passed {
			if full && p.Dir == g.dir && p.Reason == g.reason {
				fmt.Fprintf(b, "    %s\n", p.Path)
			}
		}
	}
}

type passedObject struct {
	Schema string `json:"schema"`
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Failed bool   `json:"failed"`
}

// passedJSON lists what has no answer: what failed, and all that was passed over.
func (d *Document) passedJSON(w io.Writer) error {
	for _, s := range d.Skipped {
		if err := line(w, passedObject{SkippedSchema, s.Subject, s.Reason, s.Failed}); err != nil {
			return err
		}
	}
	for _, p := range d.Passed {
		if err := line(w, passedObject{SkippedSchema, p.Path, p.Reason, false}); err != nil {
			return err
		}
	}
	return nil
}
