package sites

import (
	"strings"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
)

// load reads the debug information, with the files it refers to.
func (b *Binary) load(opts elfbin.DebugOptions) {
	if b.debug != b.file {
		opts.Beside = nil // are the directories of the program
	}
	l := linked{debug: b.debug, opts: opts}
	defer l.close()
	if b.loaded, b.dwErr = dwarfinfo.LoadLinked(b.debug, l.links()); b.dwErr == nil {
		b.data = b.loaded
	}
	b.search.Attempts = append(b.search.Attempts, l.alt.Attempts...)
	b.gaps = b.readGaps(&l)
}

// linked are the files that a file with debug information refers to. Their
// sections stay in memory when they are closed.
type linked struct {
	debug *elfbin.File
	opts  elfbin.DebugOptions
	alt   elfbin.Search
	files []*elfbin.File
}

func (l *linked) links() dwarfinfo.Links {
	var links dwarfinfo.Links
	if _, _, ok := l.debug.AltLink(); ok {
		var f *elfbin.File
		if f, l.alt = elfbin.FindAlt(l.debug, l.opts); f != nil {
			l.files = append(l.files, f)
			links.Alt, links.AltPath = f, l.alt.Path
		}
	}
	return links
}

func (l *linked) close() {
	for _, f := range l.files {
		f.Close()
	}
}

// unread says what of the debug information was not read.
func (b *Binary) unread() string {
	var parts []string
	for _, g := range b.gaps {
		parts = append(parts, g.Text)
	}
	return strings.Join(parts, "; ")
}

// readGaps turns what package dwarfinfo could not read into reasons.
func (b *Binary) readGaps(l *linked) []Reason {
	if b.dwErr != nil {
		return []Reason{{ReasonGap, "debug information cannot be read: " + b.dwErr.Error()}}
	}
	var out []Reason
	seen := map[dwarfinfo.GapKind]bool{}
	for _, g := range b.loaded.Gaps {
		if seen[g.Kind] {
			continue
		}
		seen[g.Kind] = true
		text := g.Error()
		if g.Kind == dwarfinfo.GapAltFile && len(l.alt.Attempts) > 0 {
			text += "; looked for it: " + l.alt.String()
		}
		out = append(out, Reason{ReasonGap, text})
	}
	return out
}
