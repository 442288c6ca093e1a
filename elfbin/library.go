package elfbin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ldCache is where ldconfig writes what it found.
const ldCache = "/etc/ld.so.cache"

// FindLibrary gives the path, within root, of the library that a bpftrace
// probe names without a path: "libc", "c" and "libc.so.6" are all libc.so.6.
// It looks at ld.so's cache first, then at the loader's default directories.
// Only files for arch count, of any architecture if it is UnknownArch. tried
// says what was looked at; no library is a *NotFoundError.
func FindLibrary(root fs.FS, name string, arch Arch) (found string, tried []string, err error) {
	l := librarySearch{root: root, arch: arch, names: sonames(name)}
	if len(l.names) == 0 {
		return "", nil, &NotFoundError{Kind: "library", Name: name}
	}
	if found = l.inCache(); found == "" {
		found = l.inDirs()
	}
	if found == "" {
		return "", l.tried, &NotFoundError{"library", name, l.tried}
	}
	return found, l.tried, nil
}

// soname is a name or the beginning of one up to the version.
type soname string

// matches tells whether a library is called so, or so with a version behind.
func (s soname) matches(name string) bool {
	rest, ok := strings.CutPrefix(name, string(s))
	return ok && (rest == "" || rest[0] == '.')
}

// sonames are the names a library may have, the likeliest first.
func sonames(name string) []soname {
	switch {
	case name == "" || strings.ContainsAny(name, "/\x00*?[\\"):
		return nil
	case name == "lib":
		return []soname{"liblib.so"}
	case strings.Contains(name, ".so"):
		if strings.HasPrefix(name, "lib") {
			return []soname{soname(name)}
		}
		return []soname{soname("lib" + name), soname(name)}
	case strings.HasPrefix(name, "lib"):
		return []soname{soname(name + ".so"), soname("lib" + name + ".so")}
	}
	return []soname{soname("lib" + name + ".so"), soname(name + ".so")}
}

// librarySearch is one run of FindLibrary.
type librarySearch struct {
	root  fs.FS
	arch  Arch
	names []soname
	tried []string
}

func (l *librarySearch) inCache() string {
	entries, err := readCache(l.root)
	if err != nil {
		l.tried = append(l.tried, fmt.Sprintf("%s (%v)", ldCache, err))
		return ""
	}
	// Copies for newer processors last: which one runs depends on the machine.
	slices.SortStableFunc(entries, func(a, b cacheEntry) int { return a.special() - b.special() })
	for _, name := range l.names {
		l.tried = append(l.tried, fmt.Sprintf("%s for %s*", ldCache, name))
		for _, e := range entries {
			if name.matches(e.name) && e.runs(l.arch) && l.take(e.path) {
				return path.Clean(e.path)
			}
		}
	}
	return ""
}

// take tells whether the file is a library for the architecture, and records
// why not.
func (l *librarySearch) take(p string) bool {
	f, err := openIn(l.root, p)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fs.ErrNotExist
		}
		l.tried = append(l.tried, fmt.Sprintf("%s (%v)", p, err))
		return false
	}
	defer f.Close()
	if l.arch != UnknownArch && f.Arch() != l.arch {
		l.tried = append(l.tried, fmt.Sprintf("%s (for %v)", p, f.Arch()))
		return false
	}
	return true
}

// libraryDirs are the default directories of the loaders of the
// distributions, multiarch ones first.
func libraryDirs(arch Arch) []string {
	var dirs []string
	for _, triplet := range []string{AMD64: "x86_64-linux-gnu", ARM64: "aarch64-linux-gnu"} {
		if triplet != "" && (arch == UnknownArch || strings.HasPrefix(triplet, "x86") == (arch == AMD64)) {
			dirs = append(dirs, "/lib/"+triplet, "/usr/lib/"+triplet, "/usr/local/lib/"+triplet)
		}
	}
	return append(dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib64", "/usr/local/lib")
}

func (l *librarySearch) inDirs() string {
	for _, dir := range libraryDirs(l.arch) {
		list, err := fs.ReadDir(l.root, fsPath(dir))
		if err != nil {
			continue
		}
		for _, name := range l.names {
			l.tried = append(l.tried, fmt.Sprintf("%s/%s*", dir, name))
			// From the end: the highest version, as in the cache. An
			// unversioned name may be a linker script.
			for _, entry := range slices.Backward(list) {
				if p := path.Join(dir, entry.Name()); name.matches(entry.Name()) && l.take(p) {
					return p
				}
			}
		}
	}
	return ""
}

func readCache(root fs.FS) ([]cacheEntry, error) {
	file, err := root.Open(fsPath(ldCache))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxCache+1))
	if err != nil {
		return nil, err
	}
	return parseCache(b)
}

// FindProgram gives the path, within root, of a program by its name, as a
// shell finds it in pathEnv (directories separated by colons). Relative
// directories are passed over: root has no current one. A name with a slash
// is a path already. No program is a *NotFoundError.
func FindProgram(root fs.FS, name, pathEnv string) (string, error) {
	var tried []string
	for _, dir := range strings.Split(pathEnv, ":") {
		p := path.Join(dir, name)
		if strings.Contains(name, "/") {
			p = path.Clean(name)
		} else if name == "" || !path.IsAbs(dir) {
			continue
		}
		tried = append(tried, p)
		info, err := fs.Stat(root, fsPath(p))
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return p, nil
		}
		if strings.Contains(name, "/") {
			break
		}
	}
	return "", &NotFoundError{"program", name, tried}
}
