package elfbin

import (
	"fmt"
	"path"
	"strings"
)

// FindAlt finds the alternate file that f names (AltLink): by the recorded
// name, which counts from the directory of f, in the .dwz directories beside
// the debug files, and by its build id. f is the file that has the debug
// information; opts.Beside are its directories. It returns a File that the
// caller closes, or nil; Search says where it looked. A file with another
// build id is refused.
func FindAlt(f *File, opts DebugOptions) (*File, Search) {
	name, id, ok := f.AltLink()
	d := newSearch(f, opts, id)
	d.judge = d.judgeAlt
	switch {
	case !ok:
		d.note("alternate file", NotSearched, "%s names none", f.Path())
		return nil, d.Search
	case id == "":
		d.note(name, NotSearched, "%s does not say its build id", f.Path())
		return nil, d.Search
	case opts.Root == nil:
		d.note(name, NotSearched, "")
		return d.fetch(), d.Search
	}
	found := d.tryAll(d.altPlaces(name))
	if found == nil {
		found = d.byBuildID()
	}
	if found == nil {
		found = d.fetch()
	}
	return found, d.Search
}

// altPlaces are the places of the alternate file by its name. Distributions
// install them in /usr/lib/debug/.dwz, and debug directories may have moved.
func (d *debugSearch) altPlaces(name string) []string {
	var places []string
	if path.IsAbs(name) {
		places = append(places, path.Clean(name))
	} else {
		for _, dir := range d.opts.Beside {
			places = append(places, path.Join(dir, name))
		}
	}
	const dwz = "/.dwz/"
	if _, rest, ok := strings.Cut("/"+name, dwz); ok {
		for _, dir := range d.opts.Dirs {
			if p := path.Join(dir, dwz, path.Join("/", rest)); len(places) == 0 || p != places[0] {
				places = append(places, p)
			}
		}
	}
	return places
}

func (d *debugSearch) judgeAlt(f *File) (Outcome, string) {
	switch id := f.altID(); {
	case f.Arch() != d.file.Arch():
		return WrongArch, f.Arch().String()
	case id != d.id:
		return WrongID, fmt.Sprintf("%s names %q, %s has %q", d.file.Path(), d.id, f.Path(), id)
	case !f.HasDWARF() && !f.hasBytes(".debug_str"):
		return NoDWARF, ""
	}
	return Found, ""
}
