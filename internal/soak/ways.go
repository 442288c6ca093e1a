//go:build linux && (amd64 || arm64)

package soak

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Way is how a library comes to be another one.
type Way string

// The ways.
const (
	Rename  Way = "rename"   // another file is renamed over it: dpkg, rpm, sed -i
	InPlace Way = "in-place" // it is truncated and written: cp
	Install Way = "install"  // it is unlinked, created and written, often with the same inode number: install, tar
	Symlink Way = "symlink"  // a symbolic link to it is renamed over another one
	Gone    Way = "gone"     // it is away for a moment and comes back
)

// Ways are all of them.
func Ways() []Way { return []Way{Rename, InPlace, Install, Symlink, Gone} }

// Replacer replaces a library.
type Replacer struct {
	kit  *Kit
	path string // of the library
	rnd  *rand.Rand

	layout, version int
	current         atomic.Int64 // the version that is there, or about to be
	busy            atomic.Bool  // it is being put there
	links           int
	log             []Replacement
}

// Replacement is one version of the library, which was put in place then.
type Replacement struct {
	Version    int
	Way        Way
	Began, End time.Time
}

// NewReplacer puts a first library at path, and makes the directories that
// links lead to.
func NewReplacer(kit *Kit, path string, rnd *rand.Rand) (*Replacer, error) {
	r := &Replacer{kit: kit, path: path, rnd: rnd}
	if err := os.MkdirAll(filepath.Join(filepath.Dir(path), "other"), 0o755); err != nil {
		return nil, err
	}
	return r, r.Do(Rename)
}

// next chooses another library, in place one of the same layout: what runs in
// it must not find itself in the middle of other code.
func (r *Replacer) next(layout bool) ([]byte, error) {
	r.choose(layout)
	path, err := r.kit.Library(r.layout, r.version)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// choose chooses the next version and its layout.
func (r *Replacer) choose(layout bool) {
	r.version++
	r.current.Store(int64(r.version))
	if layout {
		r.layout = r.layoutOf(r.version)
	}
}

// layoutOf is the layout of a version that is put there otherwise than in place.
func (r *Replacer) layoutOf(version int) int {
	return int(uint64(version) * 0x9e3779b97f4a7c15 >> 60 % Layouts)
}

// Compile compiles what replacements in these ways will need.
func (r *Replacer) Compile(ways []Way) error {
	version, layouts := r.version, []int{r.layout}
	for _, w := range ways {
		version++
		switch w {
		case InPlace:
		case Gone: // the one before may come back
			layouts = append(layouts, r.layoutOf(version))
		default:
			layouts = []int{r.layoutOf(version)}
		}
		for _, l := range layouts {
			if _, err := r.kit.Library(l, version); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace replaces the library in these ways, with pauses.
func (r *Replacer) replace(ways []Way, pause time.Duration, done map[Way]int) error {
	for _, w := range ways {
		if err := r.Do(w); err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
		done[w]++
		time.Sleep(pause/2 + time.Duration(r.rnd.Int64N(int64(pause))))
	}
	return nil
}

// Do replaces the library by the next version.
func (r *Replacer) Do(w Way) error {
	began := time.Now()
	r.busy.Store(true)
	err := r.do(w)
	r.busy.Store(false)
	r.log = append(r.log, Replacement{int(r.current.Load()), w, began, time.Now()})
	return err
}

func (r *Replacer) do(w Way) error {
	switch w {
	case Rename:
		return r.rename()
	case InPlace:
		return r.inPlace()
	case Install:
		return r.install()
	case Symlink:
		return r.symlink()
	case Gone:
		return r.gone()
	}
	return fmt.Errorf("no way %q; one of %v", w, Ways())
}

func (r *Replacer) rename() error {
	data, err := r.next(true)
	if err != nil {
		return err
	}
	tmp := r.path + ".dpkg-new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	if r.rnd.IntN(2) == 0 { // dpkg does, others do not
		if err := toDisk(tmp); err != nil {
			return err
		}
	}
	return os.Rename(tmp, r.path)
}

func toDisk(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (r *Replacer) inPlace() error {
	r.choose(false)
	from, err := r.kit.Library(r.layout, r.version)
	if err != nil {
		return err
	}
	return command("cp", from, r.path)
}

func (r *Replacer) install() error {
	r.choose(true)
	from, err := r.kit.Library(r.layout, r.version)
	if err != nil {
		return err
	}
	return command("install", "-m", "644", from, r.path)
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// symlink has a link lead to another file, in the same or in the other directory.
func (r *Replacer) symlink() error {
	data, err := r.next(true)
	if err != nil {
		return err
	}
	r.links++
	name := fmt.Sprintf("libx.so.1.%d", r.links)
	if r.rnd.IntN(2) == 0 {
		name = "other/" + name
	}
	dir := filepath.Dir(r.path)
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		return err
	}
	tmp := r.path + ".link"
	if err := os.Symlink(name, tmp); err != nil {
		return err
	}
	old, err := os.Readlink(r.path)
	if err := os.Rename(tmp, r.path); err != nil {
		return err
	}
	if err == nil { // whoever opened the link before has the file
		return os.Remove(filepath.Join(dir, old))
	}
	return nil
}

// gone takes the library away, and brings it or another one back.
func (r *Replacer) gone() error {
	away := r.path + ".away"
	back := r.rnd.IntN(3)
	var err error
	if back == 0 {
		err = os.Rename(r.path, away)
	} else {
		err = os.Remove(r.path)
	}
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(r.rnd.IntN(20)) * time.Millisecond)
	switch back {
	case 0:
		r.version++ // each replacement has one
		return os.Rename(away, r.path)
	case 1:
		return r.rename()
	}
	data, err := r.next(true)
	if err != nil {
		return err
	}
	return os.WriteFile(r.path, data, 0o644)
}
