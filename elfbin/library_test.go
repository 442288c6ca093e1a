package elfbin

import (
	"debug/elf"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// cached is a library to put into a cache.
type cached struct {
	name, path string
	flags      int32
	hwcap      uint64
}

const (
	libAMD64 = flagAMD64 | flagLibc6
	libARM64 = flagARM64 | flagLibc6
	libX32   = 0x0800 | flagLibc6
	lib386   = flagLibc6
)

// ldCacheBytes builds a cache of glibc's new format.
func ldCacheBytes(libs ...cached) []byte {
	text := ""
	at := func(s string) uint32 {
		n := cacheHeaderSize + cacheEntrySize*len(libs) + len(text)
		text += s + "\x00"
		return uint32(n)
	}
	var entries []byte
	for _, l := range libs {
		entries = append(entries, pack(l.flags, at(l.name), at(l.path), uint32(0), l.hwcap)...)
	}
	head := pack(cacheMagic, uint32(len(libs)), uint32(len(text)), []byte{2, 0, 0, 0}, uint32(0), make([]byte, 12))
	return append(append(head, entries...), text...)
}

// oldCache puts the old format's part before a cache.
func oldCache(entries int, b []byte) []byte {
	old := pack(cacheOldMagic, uint8(0), uint32(entries), make([]byte, entries*oldEntrySize))
	for len(old)%8 != 0 {
		old = append(old, 0)
	}
	return append(old, b...)
}

func TestParseCache(t *testing.T) {
	libs := []cached{{"libc.so.6", "/lib/libc.so.6", libAMD64, 0}, {"libm.so.6", "/lib/libm.so.6", libARM64, 1}}
	good := ldCacheBytes(libs...)
	want := []cacheEntry{{"libc.so.6", "/lib/libc.so.6", libAMD64, 0}, {"libm.so.6", "/lib/libm.so.6", libARM64, 1}}
	change := func(at int, v byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = v
		return b
	}
	tests := []struct {
		name string
		data []byte
		want []cacheEntry
		err  string
	}{
		{"new", good, want, ""},
		{"after the old one", oldCache(3, good), want, ""},
		{"none", ldCacheBytes(), []cacheEntry{}, ""},
		{"empty", nil, nil, "not a cache"},
		{"old only", oldCache(1, nil), nil, "not a cache"},
		{"old with a huge count", pack(cacheOldMagic, uint8(0), ^uint32(0)), nil, "not a cache"},
		{"other magic", change(0, 'x'), nil, "not a cache"},
		{"header cut", good[:40], nil, "cut short"},
		{"big endian", change(28, 3), nil, "big-endian"},
		{"too many", change(23, 0xff), nil, "entries do not fit"},
		{"name outside", change(cacheHeaderSize+7, 0xff), nil, "entry 0 has no proper name"},
		{"path outside", change(cacheHeaderSize+11, 0xff), nil, "entry 0 has no proper name"},
		{"not terminated", good[:len(good)-1], nil, "entry 1 has no proper name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseCache(tt.data)
			var bad *CacheError
			if tt.err != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(cacheEntry{})); d != "" || tt.err == "" && err != nil {
				t.Errorf("%v %s", err, d)
			}
		})
	}
}

func TestFindLibrary(t *testing.T) {
	amd, arm := image{}.bytes(), image{machine: elf.EM_AARCH64}.bytes()
	root := fstest.MapFS{
		"etc/ld.so.cache": {Data: ldCacheBytes(
			cached{"libz.so.1", "/lib32/libz.so.1", lib386, 0},
			cached{"libz.so.1", "/lib4/libz.so.1", flagAMD64, 0}, // not an ELF library
			cached{"libodd.sound", "/lib/libz.so.1", libAMD64, 0},
			cached{"libz.so.1", "/libx32/libz.so.1", libX32, 0},
			cached{"libz.so.1", "/lib/v3/libz.so.1", libAMD64, 1 << 62},
			cached{"libz.so.1", "/lib/libz.so.1", libAMD64, 0},
			cached{"libssl.so.3", "/lib/libssl.so.3", libAMD64, 0},
			cached{"libssl.so.1.1", "/lib/libssl.so.1.1", libAMD64, 0},
			cached{"libcrypto.so.3", "/lib/libcrypto.so.3", libAMD64, 0},
			cached{"libc.so.6", "/arm/libc.so.6", libARM64, 0},
			cached{"libc.so.6", "/lib/libc.so.6", libAMD64, 0},
			cached{"libstale.so.1", "/gone/libstale.so.1", libAMD64, 0},
			cached{"ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2", libAMD64, 0},
			cached{"libliar.so.1", "/lib/libliar.so.1", libAMD64, 0},
		)},
		"usr/local/lib/libstale.so.2": {Data: amd},
		"usr/lib64/libonly.so":        {Data: []byte("INPUT(libonly.so.5)")},
		"usr/lib64/libonly.so.5":      {Data: amd},
		"usr/lib64/libtwo.so.1":       {Data: amd},
		"usr/lib64/libtwo.so.2":       {Data: amd},
		"lib/libliar.so.1":            {Data: arm},
		"arm/libc.so.6":               {Data: arm},
	}
	for _, p := range []string{"lib32/libz.so.1", "lib4/libz.so.1", "libx32/libz.so.1", "lib/v3/libz.so.1", "lib/libz.so.1", "lib/libssl.so.3",
		"lib/libssl.so.1.1", "lib/libcrypto.so.3", "lib/libc.so.6", "lib64/ld-linux-x86-64.so.2"} {
		root[p] = &fstest.MapFile{Data: amd}
	}
	tests := []struct {
		name string
		arch Arch
		want string
	}{
		{"c", AMD64, "/lib/libc.so.6"},
		{"libc", AMD64, "/lib/libc.so.6"},
		{"libc.so", AMD64, "/lib/libc.so.6"},
		{"libc.so.6", AMD64, "/lib/libc.so.6"},
		{"c.so.6", AMD64, "/lib/libc.so.6"},
		{"libc", ARM64, "/arm/libc.so.6"},
		{"libc.so.5", AMD64, ""},
		{"z", AMD64, "/lib/libz.so.1"}, // the copy for every processor
		{"ssl", AMD64, "/lib/libssl.so.3"},
		{"libssl.so.1", AMD64, "/lib/libssl.so.1.1"},
		{"libssl.so.1.1", AMD64, "/lib/libssl.so.1.1"},
		{"ld-linux-x86-64", AMD64, "/lib64/ld-linux-x86-64.so.2"},
		{"stale", AMD64, "/usr/local/lib/libstale.so.2"},
		{"only", AMD64, "/usr/lib64/libonly.so.5"}, // not the linker script
		{"two", AMD64, "/usr/lib64/libtwo.so.2"},
		{"liar", AMD64, ""},
		{"crypt", AMD64, ""}, // a beginning of libcrypto
		{"odd", AMD64, ""},
		{"absent", AMD64, ""},
		{"", AMD64, ""},
		{"lib", AMD64, ""},
		{"../lib/libc.so.6", AMD64, ""},
		{"lib*", AMD64, ""},
	}
	for _, tt := range tests {
		got, tried, err := FindLibrary(root, tt.name, tt.arch)
		var missing *NotFoundError
		if got != tt.want || errors.As(err, &missing) != (tt.want == "") {
			t.Errorf("%s for %v: got %q, %v; %v", tt.name, tt.arch, got, err, tried)
		}
	}
	_, tried, _ := FindLibrary(root, "liar", AMD64)
	if !strings.Contains(strings.Join(tried, "\n"), "/lib/libliar.so.1 (for arm64)") {
		t.Errorf("tried %q", tried)
	}
}

func TestFindLibraryWithoutCache(t *testing.T) {
	root := fstest.MapFS{
		"lib/x86_64-linux-gnu/libc.so.6":  {Data: image{}.bytes()},
		"lib/aarch64-linux-gnu/libc.so.6": {Data: image{machine: elf.EM_AARCH64}.bytes()},
	}
	for arch, want := range map[Arch]string{AMD64: "/lib/x86_64-linux-gnu/libc.so.6", ARM64: "/lib/aarch64-linux-gnu/libc.so.6"} {
		if got, _, err := FindLibrary(root, "libc", arch); got != want || err != nil {
			t.Errorf("%v: got %q, %v", arch, got, err)
		}
	}
}

func TestFindProgram(t *testing.T) {
	root := fstest.MapFS{
		"relative/hidden":   {Mode: 0o755},
		"bin/prog":          {Mode: 0o755},
		"usr/bin/prog":      {Mode: 0o755},
		"sbin/data":         {Mode: 0o644},
		"usr/sbin/data":     {Mode: 0o755},
		"bin/directory/x":   {Mode: 0o755},
		"usr/bin/directory": {Mode: 0o755},
	}
	const env = ":.:relative:/sbin:/bin:/usr/bin:/usr/sbin"
	for name, want := range map[string]string{
		"prog": "/bin/prog", "data": "/usr/sbin/data", "directory": "/usr/bin/directory",
		"/usr/bin/prog": "/usr/bin/prog", "absent": "", "": "", "hidden": "", "/bin/absent": "",
	} {
		got, err := FindProgram(root, name, env)
		var missing *NotFoundError
		if got != want || errors.As(err, &missing) != (want == "") {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
}
