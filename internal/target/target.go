// Package target leads from hooks as users write them to results: it finds
// the file a hook names, opens each file once, and resolves.
package target

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Options of an Analyzer.
type Options struct {
	Root      fs.FS    // the file system that names are looked up in, as os.DirFS("/")
	Path      string   // directories of programs, as $PATH
	DebugDirs []string // searched for debug files before the system's
	// Fetch gets debug files that are nowhere else, as in elfbin.DebugOptions.
	Fetch func(buildID string) (*elfbin.File, error)

	Cache sites.Cache // of indexes; nil: none

	// Dir is what relative names of files in hooks are relative to; empty: the
	// working directory.
	Dir string
	// Instead are files to be read in place of others, by the names of those in
	// hooks: a build that is not installed yet.
	Instead map[string]string
}

// Analyzer resolves hooks. It keeps the files open that it has opened, as
// several hooks often name one file.
type Analyzer struct {
	opts Options
	open map[string]*sites.Binary // by absolute path
}

// NewAnalyzer makes an Analyzer.
func NewAnalyzer(opts Options) *Analyzer {
	return &Analyzer{opts: opts, open: map[string]*sites.Binary{}}
}

// Resolved is a hook with the functions that it matches.
type Resolved struct {
	Hook    hook.Hook
	Binary  *sites.Binary
	Results []sites.Result
}

// KernelError says that a hook is one of the kernel's.
type KernelError struct{ Hook hook.Hook }

func (e *KernelError) Error() string {
	return fmt.Sprintf("%s: hooks of the kernel are checked only (surehook check); uprobe and uretprobe can be listed and traced", e.Hook)
}

// Resolve parses the hook, finds its file and its functions.
func (a *Analyzer) Resolve(text string) (Resolved, error) {
	h, err := hook.Parse(text)
	if err != nil {
		return Resolved{}, err
	}
	return a.ResolveHook(h)
}

// ResolveHook finds the file of a hook and its functions.
func (a *Analyzer) ResolveHook(h hook.Hook) (Resolved, error) {
	if !h.Kind.User() {
		return Resolved{}, &KernelError{h}
	}
	b, err := a.Binary(h.Target)
	if err != nil {
		return Resolved{}, err
	}
	results, err := b.Resolve(h)
	if err != nil {
		return Resolved{}, err
	}
	return Resolved{Hook: h, Binary: b, Results: results}, nil
}

// Binary finds the file that hooks name so, and opens it once.
func (a *Analyzer) Binary(name string) (*sites.Binary, error) {
	path, err := a.Find(name)
	if err != nil {
		return nil, err
	}
	return a.binary(path)
}

// Close closes all files.
func (a *Analyzer) Close() error {
	var errs []error
	for _, b := range a.open {
		errs = append(errs, b.Close())
	}
	a.open = map[string]*sites.Binary{}
	return errors.Join(errs...)
}

func (a *Analyzer) binary(path string) (*sites.Binary, error) {
	if b := a.open[path]; b != nil {
		return b, nil
	}
	opts := sites.Options{Cache: a.opts.Cache, Debug: elfbin.DebugOptions{Root: a.opts.Root, Fetch: a.opts.Fetch}}
	if len(a.opts.DebugDirs) > 0 {
		opts.Debug.Dirs = append(slices.Clone(a.opts.DebugDirs), elfbin.DefaultDebugDir)
	}
	b, err := sites.Open(path, opts)
	if err != nil {
		return nil, plain(path, err)
	}
	a.open[path] = b
	return b, nil
}

// plain puts the path in front of an error of the file system just once.
func plain(path string, err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%s: %w", path, e.Err)
	}
	return err
}

// Find gives the absolute path of the file that a hook names. A name with a
// slash is a path. Without one it is, as bpftrace has it, a library if it
// begins with "lib", else a program.
func (a *Analyzer) Find(name string) (string, error) {
	if other, ok := a.opts.Instead[path.Clean(name)]; ok {
		return filepath.Abs(other)
	}
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(a.opts.Dir, name)
		}
		return filepath.Abs(name)
	}
	arch := hostArch()
	library := func() (string, error) {
		path, _, err := elfbin.FindLibrary(a.opts.Root, name, arch)
		return path, err
	}
	program := func() (string, error) { return elfbin.FindProgram(a.opts.Root, name, a.opts.Path) }
	searches := []func() (string, error){program, library}
	if strings.HasPrefix(name, "lib") {
		slices.Reverse(searches)
	}
	var first error
	for _, search := range searches {
		path, err := search()
		if err == nil {
			return path, nil
		}
		first = cmp.Or(first, err)
	}
	if _, err := os.Stat(name); err == nil {
		return "", fmt.Errorf("%w; for the file here write ./%s", first, name)
	}
	return "", first
}

func hostArch() elfbin.Arch {
	for _, a := range []elfbin.Arch{elfbin.AMD64, elfbin.ARM64} {
		if a.String() == runtime.GOARCH {
			return a
		}
	}
	return elfbin.UnknownArch
}
