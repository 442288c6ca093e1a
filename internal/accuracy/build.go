package accuracy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/surehook/surehook/internal/filelock"
)

// keyVersion changes all keys when the layout of the cache changes.
const keyVersion = 2

// compiled is a program's binary in its working directory.
type compiled struct {
	dir  string // where commands run
	path string // the binary, in dir
	key  string // of everything it was made from
	arch string // as Debian calls it
}

// lock keeps two harnesses from running one binary at a time: each would count
// the other's executions.
func (b compiled) lock() (unlock func(), err error) { return filelock.Lock(b.dir + ".lock") }

// compile builds a program, or finds it built.
func compile(ctx context.Context, c store, p program, b build, marked bool) (compiled, error) {
	tree, err := p.tree(ctx, c)
	if err != nil {
		return compiled{}, err
	}
	version := b.version(ctx, p.lang)
	if version == "" {
		cc, _ := b.driver(p.lang)
		return compiled{}, &missingError{"no " + cc + " on this machine", "apt-get install " + packageOf(cc)}
	}
	flags, err := p.compileFlags(tree)
	if err != nil {
		return compiled{}, err
	}
	var include []byte
	if p.include != "" {
		if include, err = embedded(p.include); err != nil {
			return compiled{}, err
		}
	}
	generated := map[string][]byte{}
	if p.generated != nil {
		if generated, err = p.generated(tree); err != nil {
			return compiled{}, err
		}
	}
	key := keyOf(keyVersion, p.source, p.patterns, p.without, flags, p.libs, include, generated, b.cc, b.flags, version, marked, markerVersion)
	if b.arch != archAMD64 || p.lang != "" || len(b.link) > 0 {
		key = keyOf(key, b.arch, p.lang, b.link, markText(p.lang), "2")
	}
	out := compiled{c.path("bin", key), c.path("bin", key, p.name), key, b.arch}
	unlock, err := out.lock()
	if err != nil {
		return compiled{}, err
	}
	defer unlock()
	if _, err := os.Stat(out.path); err == nil {
		return out, nil
	}
	j := job{c: c, p: p, b: b, tree: tree, flags: append(flags, "-g", "-w"), marked: marked, out: out}
	if p.include != "" {
		header := c.path("include", keyOf(include)+".h")
		if err := writeFile(header, include); err != nil {
			return compiled{}, err
		}
		j.flags = append(j.flags, "-include", header)
	}
	if err := j.build(ctx); err != nil {
		return compiled{}, fmt.Errorf("build %s %s: %w", p.name, b.name, err)
	}
	return out, nil
}

// job is one build under way.
type job struct {
	c      store
	p      program
	b      build
	tree   string
	flags  []string
	marked bool
	out    compiled
}

// build compiles every file by itself, two at a time or as many as there are
// processors, and links them.
func (j job) build(ctx context.Context) error {
	files, err := j.p.files(j.tree)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(j.c.dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	switch j.p.lang {
	case langGo:
		return j.golang(ctx, tmp)
	case langRust:
		return j.rust(ctx, tmp)
	}
	objects := make([]string, len(files))
	errs := make([]error, len(files))
	slots := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	for i, f := range files {
		objects[i] = filepath.Join(tmp, fmt.Sprintf("%03d-%s.o", i, strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))))
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = j.object(ctx, f, objects[i])
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return j.link(ctx, tmp, objects)
}

// object compiles one file.
func (j job) object(ctx context.Context, file, object string) error {
	if j.marked && j.b.cc == "clang" {
		return j.markedObject(ctx, file, object)
	}
	cc, args := j.b.driver(j.p.lang)
	args = append(args, j.b.flags...)
	if j.marked {
		header, err := j.markHeader()
		if err != nil {
			return err
		}
		args = append(args, "-fno-pie", "-finstrument-functions", "-include", header)
	}
	args = append(append(args, j.flags...), "-c", "-o", object, file)
	_, err := run(ctx, j.tree, cc, args...)
	return err
}

// link makes the binary of the objects.
func (j job) link(ctx context.Context, tmp string, objects []string) error {
	bin := filepath.Join(tmp, j.p.name)
	cc, args := j.b.driver(j.p.lang)
	args = append(append(args, j.b.flags...), j.b.link...)
	if j.marked && j.b.cc == "gcc" {
		args = append(args, "-no-pie")
	}
	args = append(append(args, "-g", "-o", bin), objects...)
	if _, err := run(ctx, tmp, cc, append(args, j.p.libs...)...); err != nil {
		return err
	}
	return j.install(bin)
}
