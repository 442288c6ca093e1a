package kernels

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Options of a Catalogue. The zero value knows no kernel.
type Options struct {
	Shipped *atlas.Atlas // that comes with the program; nil: none
	Dirs    []string     // further atlas files, or directories of them
	// Live gives the running kernel; nil: there is none to be asked.
	Live func() (kernel.Kernel, error)
	// File reads a kernel's file that is no atlas; nil: none can be read.
	File func(path string) (kernel.Kernel, error)
}

// Catalogue finds kernels by name.
type Catalogue struct {
	opts    Options
	open    []*atlas.Atlas
	entries []kernel.Kernel // sorted
	others  map[string][]kernel.Kernel
}

// Names that are no kernel's.
const (
	Live = "live" // the running kernel
	All  = "all"  // every kernel of the atlas files
)

var errNoLive = errors.New("the running kernel cannot be asked here")

// NotFoundError says that no kernel has a name.
type NotFoundError struct {
	Name string
	Near []string // names that are like it
	None bool     // there are no kernels at all besides the running one
}

func (e *NotFoundError) Error() string {
	switch {
	case e.None:
		return fmt.Sprintf("kernel %q: no atlas is there; give a vmlinux file, or an atlas with --atlas", e.Name)
	case len(e.Near) > 0:
		return fmt.Sprintf("no kernel %q; did you mean %s? surehook kernel list shows all", e.Name, strings.Join(e.Near, ", "))
	}
	return fmt.Sprintf("no kernel %q; surehook kernel list shows all", e.Name)
}

// Open reads which kernels there are. Files that cannot be read are in the
// error; the others are in the Catalogue all the same.
func Open(opts Options) (*Catalogue, error) {
	c := &Catalogue{opts: opts, others: map[string][]kernel.Kernel{}}
	if opts.Shipped != nil {
		c.add(opts.Shipped)
	}
	var failed []error
	for _, dir := range opts.Dirs {
		files, err := atlasFiles(dir)
		if err != nil {
			failed = append(failed, err)
		}
		for _, f := range files {
			a, err := atlas.Open(f)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			c.open = append(c.open, a)
			c.add(a)
		}
	}
	slices.SortStableFunc(c.entries, func(a, b kernel.Kernel) int { return Compare(a.Identity(), b.Identity()) })
	return c, errors.Join(failed...)
}

// add takes the kernels of an atlas; one of the same name takes the place of
// an earlier one, so that a user's own stands before the shipped.
func (c *Catalogue) add(a *atlas.Atlas) {
	for _, e := range a.Entries() {
		c.entries = slices.DeleteFunc(c.entries, func(k kernel.Kernel) bool { return k.Identity().Name == e.Identity().Name })
		c.entries = append(c.entries, e)
	}
}

// atlasFiles gives the atlas files of a directory, or the file itself.
func atlasFiles(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	files, err := filepath.Glob(filepath.Join(name, "*.atlas"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: no *.atlas files", name)
	}
	return files, err
}

// Close closes the files.
func (c *Catalogue) Close() error {
	var failed []error
	for _, list := range c.others {
		for _, k := range list {
			failed = append(failed, k.Close())
		}
	}
	for _, a := range c.open {
		failed = append(failed, a.Close())
	}
	return errors.Join(failed...)
}

// All gives the kernels of the atlas files, by architecture and version.
func (c *Catalogue) All() []kernel.Kernel { return c.entries }

// Find gives the kernels that a --kernel names: "live", "all", a name, a glob,
// or the path of a file. A name that fits nothing gives a *NotFoundError. The
// error may be of a part, a *DebugFileError, which is then said once.
func (c *Catalogue) Find(name string) ([]kernel.Kernel, error) {
	switch {
	case name == Live:
		return c.once(name, c.live)
	case name == All && len(c.entries) > 0:
		return c.entries, nil
	}
	if found := c.match(name); len(found) > 0 {
		return found, nil
	}
	if _, err := os.Stat(name); err == nil || strings.ContainsRune(name, filepath.Separator) {
		return c.once(name, func() ([]kernel.Kernel, error) { return c.file(name) })
	}
	return nil, &NotFoundError{Name: name, Near: c.near(name), None: len(c.entries) == 0}
}

// once reads what is no entry a single time.
func (c *Catalogue) once(name string, read func() ([]kernel.Kernel, error)) ([]kernel.Kernel, error) {
	if list, ok := c.others[name]; ok {
		return list, nil
	}
	list, err := read()
	if len(list) > 0 {
		c.others[name] = list
	}
	return list, err
}

func (c *Catalogue) match(pattern string) []kernel.Kernel {
	var found []kernel.Kernel
	for _, k := range c.entries {
		id := k.Identity()
		if id.Name == pattern || id.Release == pattern {
			found = append(found, k)
		} else if ok, err := path.Match(pattern, id.Name); ok && err == nil {
			found = append(found, k)
		}
	}
	return found
}

// file reads an atlas, or a kernel's file. Its kernels are not among All.
func (c *Catalogue) file(name string) ([]kernel.Kernel, error) {
	a, err := atlas.Open(name)
	var damaged *atlas.FormatError
	switch {
	case err == nil:
		c.open = append(c.open, a)
		var list []kernel.Kernel
		for _, e := range a.Entries() {
			list = append(list, e)
		}
		return list, nil
	case !errors.As(err, &damaged) || errors.Is(err, fs.ErrNotExist) || damaged.IsAtlas():
		return nil, err
	case c.opts.File == nil:
		return nil, fmt.Errorf("%s: not an atlas", name)
	}
	k, err := c.opts.File(name)
	if err != nil {
		return nil, err
	}
	return []kernel.Kernel{k}, nil
}

// near gives the names that are most like one.
func (c *Catalogue) near(name string) []string {
	type scored struct {
		name string
		at   int
	}
	var list []scored
	for _, k := range c.entries {
		n := k.Identity().Name
		d := hook.Distance(name, n)
		if strings.Contains(n, name) {
			d = 0
		}
		if d <= len(n)/2 {
			list = append(list, scored{n, d})
		}
	}
	slices.SortStableFunc(list, func(a, b scored) int { return cmp.Compare(a.at, b.at) })
	var out []string
	for _, s := range list[:min(len(list), 3)] {
		out = append(out, s.name)
	}
	return out
}

// Compare orders kernels by architecture and version: 5.10 before 6.1 before
// 6.12.
func Compare(a, b kernel.Identity) int {
	return cmp.Or(cmp.Compare(a.Arch, b.Arch), compareVersions(a.Release, b.Release), strings.Compare(a.Name, b.Name))
}

// compareVersions compares digits as numbers and the rest as text.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
