package vmtest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxModule bounds an unpacked module; the largest of Debian's is 8 MiB.
const maxModule = 64 << 20

// modules gives the files of the named modules and of what they depend on, and
// their paths in the machine in the order to load them. What is built into
// the kernel is left out. Debian's packages have no modules.dep (depmod runs
// when they are installed), but every module says what it needs.
func (i *Image) modules(names []string) ([]File, []string, error) {
	if len(names) == 0 {
		return nil, nil, nil
	}
	if i.moduleDir == "" {
		return nil, nil, fmt.Errorf("%w: Debian's archive has no modules of Linux %s any more; run this on another kernel", ErrMissing, i.Release)
	}
	l := moduleLoader{found: map[string]string{}, seen: map[string]bool{}}
	if err := l.index(i.moduleDir); err != nil {
		return nil, nil, err
	}
	for _, n := range names {
		if err := l.add(n, true); err != nil {
			return nil, nil, fmt.Errorf("kernel %s: %w", i.Release, err)
		}
	}
	return l.files, l.paths, nil
}

// moduleLoader collects modules, dependencies first.
type moduleLoader struct {
	found   map[string]string // file by name
	builtin map[string]bool
	seen    map[string]bool
	files   []File
	paths   []string
}

// moduleName is the name of a module's file: - and _ are the same, and the
// kernel's own spelling has _.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// index finds all modules in a directory.
func (l *moduleLoader) index(dir string) error {
	list, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return err
	}
	l.builtin = map[string]bool{}
	for _, line := range strings.Fields(string(list)) {
		l.builtin[moduleName(line)] = true
	}
	return filepath.WalkDir(filepath.Join(dir, "kernel"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), ".ko") {
			l.found[moduleName(p)] = p
		}
		return err
	})
}

// add adds a module behind what it needs; needed ones must exist.
func (l *moduleLoader) add(name string, needed bool) error {
	name = moduleName(name)
	if l.seen[name] || l.builtin[name] {
		return nil
	}
	l.seen[name] = true
	file, ok := l.found[name]
	if !ok {
		if needed {
			return fmt.Errorf("no module %s in its packages", name)
		}
		return nil
	}
	data, err := readModule(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	depends, soft, err := moduleNeeds(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, d := range depends {
		if err := l.add(d, true); err != nil {
			return err
		}
	}
	for _, d := range soft {
		if err := l.add(d, false); err != nil {
			return err
		}
	}
	at := path.Join("/lib/modules", name+".ko")
	l.files = append(l.files, File{Name: at, Data: data, Mode: 0o644})
	l.paths = append(l.paths, at)
	return nil
}

// readModule unpacks a module.
func readModule(file string) ([]byte, error) {
	packed, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r io.Reader = bytes.NewReader(packed)
	switch filepath.Ext(file) {
	case ".ko":
		return packed, nil
	case ".xz":
		r, err = xz.NewReader(r)
	case ".zst":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1)); err == nil {
			defer z.Close()
			r = z
		}
	default:
		return nil, fmt.Errorf("compressed in a way that is not known here")
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxModule+1))
	if err == nil && len(data) > maxModule {
		err = fmt.Errorf("larger than the limit of %d MiB", maxModule>>20)
	}
	return data, err
}

// moduleNeeds reads what a module must and what it should find loaded: the
// depends= and softdep=pre: of its .modinfo section.
func moduleNeeds(data []byte) (depends, soft []string, err error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return nil, nil, fmt.Errorf("no .modinfo section; it is no kernel module")
	}
	info, err := section.Data()
	if err != nil {
		return nil, nil, err
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok {
			depends = append(depends, slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })...)
		}
		if list, ok := strings.CutPrefix(field, "softdep=pre:"); ok {
			list, _, _ = strings.Cut(list, "post:")
			soft = append(soft, strings.Fields(list)...)
		}
	}
	return depends, soft, nil
}
