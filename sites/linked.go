package sites

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
)

// load reads the debug information, with the files it refers to.
func (b *Binary) load(opts elfbin.DebugOptions) {
	go b.symbols() // meanwhile; the index asks for them
	splits := elfbin.NewSplits(b.file, b.debug, opts)
	if b.debug != b.file {
		opts.Beside = nil // are the directories of the program
	}
	l := linked{debug: b.debug, opts: opts, splits: splits}
	defer l.close()
	if b.loaded, b.dwErr = dwarfinfo.LoadLinked(b.debug, l.links()); b.dwErr == nil {
		b.data = b.loaded
	}
	b.search.Attempts = append(append(b.search.Attempts, l.alt.Attempts...), splits.Attempts...)
	b.gaps = append(b.readGaps(&l), b.stale(l.alt.Path)...)
}

// linked are the files that a file with debug information refers to. Their
// sections stay in memory when they are closed.
type linked struct {
	debug  *elfbin.File
	opts   elfbin.DebugOptions
	alt    elfbin.Search
	splits *elfbin.Splits
	files  []*elfbin.File // open
}

func (l *linked) links() dwarfinfo.Links {
	links := dwarfinfo.Links{Package: l.pkg, Split: l.split, WithoutCalls: true}
	if _, _, ok := l.debug.AltLink(); ok {
		var f *elfbin.File
		if f, l.alt = elfbin.FindAlt(l.debug, l.opts); f != nil {
			l.files = append(l.files, f)
			links.Alt, links.AltPath = f, l.alt.Path
		}
	}
	return links
}

// pkg finds the .dwp file.
func (l *linked) pkg() (dwarfinfo.Source, string) {
	f := l.splits.Package()
	if f == nil {
		return nil, ""
	}
	l.files = append(l.files, f)
	return f, f.Path()
}

// split finds a .dwo file.
func (l *linked) split(u dwarfinfo.SplitUnit, take func(dwarfinfo.Source, string) error) error {
	return l.splits.Find(u.Dir, u.Name, func(f *elfbin.File) error { return take(f, f.Path()) })
}

func (l *linked) close() {
	for _, f := range l.files {
		f.Close()
	}
}

// stale finds split files of another build: gcc 12 and clang 14 make the
// dwo_id of the source alone, so that it is the same at -O1 and -O2. Then the
// bodies have other places or sizes than the symbols. alt is the alternate file's path.
func (b *Binary) stale(alt string) []Reason {
	if b.loaded == nil {
		return nil
	}
	var out []Reason
	seen := map[string]bool{"": true, alt: true}
	for i := range b.loaded.Funcs {
		f := &b.loaded.Funcs[i]
		file := b.loaded.Units[f.Unit].File
		if len(f.Ranges) == 0 || seen[file] {
			continue
		}
		body, fits, known := f.Ranges[0], false, false
		for _, s := range b.file.FuncsAt(body.Low) {
			known = known || s.Size > 0
			fits = fits || s.Size == body.High-body.Low
		}
		if around, ok := b.file.SymbolAt(body.Low); ok && around.Value < body.Low && body.Low < around.Value+around.Size {
			known = true
		}
		if known && !fits {
			seen[file] = true
			out = append(out, Reason{ReasonGap, file + " does not fit: in it " + f.Name + " has another place or size than in the program; it belongs to another build"})
		}
	}
	return out
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
	count := map[dwarfinfo.GapKind]int{}
	for _, g := range b.loaded.Gaps {
		count[g.Kind]++
	}
	for _, g := range b.loaded.Gaps {
		n := count[g.Kind]
		if count[g.Kind] = 0; n == 0 {
			continue
		}
		text := g.Error()
		if n > 1 {
			text += fmt.Sprintf(" (and %d more like this)", n-1)
		}
		if g.Kind == dwarfinfo.GapAltFile && len(l.alt.Attempts) > 0 {
			text += "; looked for it: " + l.alt.String()
		}
		out = append(out, Reason{ReasonGap, text})
	}
	return out
}
