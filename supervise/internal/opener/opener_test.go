//go:build linux && amd64

package opener

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memoryOf is a process that has the text at an address.
func memoryOf(addr uint64, text string) func([]byte, uint64) int {
	return func(b []byte, at uint64) int {
		if at < addr || at >= addr+uint64(len(text)) {
			return 0
		}
		return copy(b, text[at-addr:])
	}
}

func TestDecode(t *testing.T) {
	const at = " 0x7ffe00000000 0x40000000"
	read := memoryOf(0x1000, "/lib/x.so\x00\x41\x02\x00\x00\x00\x00\x00\x00") // a path, and an open_how
	for name, c := range map[string]struct {
		line string
		want Request
	}{
		"reads":       {"257 0xffffff9c 0x1000 0x80000 0x0 0x0 0x0" + at, Request{Known: true, Path: "/lib/x.so"}},
		"writes":      {"257 0xffffff9c 0x1000 0x41 0x1b6 0x0 0x0" + at, Request{Known: true, Write: true, Path: "/lib/x.so"}},
		"truncates":   {"257 0xffffff9c 0x1000 0x200 0x1b6 0x0 0x0" + at, Request{Known: true, Write: true, Path: "/lib/x.so"}},
		"old open":    {"2 0x1000 0x2 0x0 0x0 0x0 0x0" + at, Request{Known: true, Write: true, Path: "/lib/x.so"}},
		"creat":       {"85 0x1000 0x1b6 0x0 0x0 0x0 0x0" + at, Request{Known: true, Write: true, Path: "/lib/x.so"}},
		"truncate":    {"76 0x1000 0x0 0x0 0x0 0x0 0x0" + at, Request{Known: true, Write: true, Path: "/lib/x.so"}},
		"execve":      {"59 0x1000 0x0 0x0 0x0 0x0 0x0" + at, Request{Known: true, Path: "/lib/x.so"}},
		"execveat":    {"322 0x3 0x1000 0x0 0x0 0x0 0x0" + at, Request{Known: true, Path: "/lib/x.so"}},
		"openat2":     {"437 0xffffff9c 0x1000 0x100a 0x18 0x0 0x0" + at, Request{Known: true, Write: true, Path: "/lib/x.so"}},
		"unread how":  {"437 0xffffff9c 0x1000 0x9000 0x18 0x0 0x0" + at, Request{}},
		"unread path": {"257 0xffffff9c 0x9000 0x80000 0x0 0x0 0x0" + at, Request{Known: true}},
		"io_uring":    {"426 0x3 0x1 0x1 0x1 0x0 0x8" + at, Request{}},
		"running":     {"running", Request{}},
		"in kernel":   {"-1 0x0 0x0", Request{}},
		"empty":       {"", Request{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, decode(c.line, read)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A path is read to its end over pages, and no further than it may be long.
func TestText(t *testing.T) {
	long := strings.Repeat("a", maxPath-1)
	if got := text(memoryOf(0x1fff, long+"\x00"), 0x1fff); got != long {
		t.Errorf("%d bytes of %d", len(got), len(long))
	}
	if got := text(memoryOf(0x1fff, long+"aa\x00"), 0x1fff); got != "" {
		t.Errorf("%d bytes of a path that is too long", len(got))
	}
}

func TestOfSelf(t *testing.T) {
	if Of(0).Known || Of(1<<30).Known || Writes(os.Getpid()) {
		t.Error("something is known of nobody, or this process waits")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("257 0xffffff9c 0x1000 0x80000 0x0 0x0 0x0 0x1 0x2", uint64(0x1000), "/lib/x.so\x00")
	f.Add("437 0x0 0x1000 0x100a 0x0 0x0 0x0 0x1 0x2", uint64(0x1000), "/lib/x.so\x00\x41")
	f.Add("running", uint64(0), "")
	f.Fuzz(func(t *testing.T, line string, addr uint64, mem string) {
		if r := decode(line, memoryOf(addr, mem)); !r.Known && (r.Write || r.Path != "") || len(r.Path) > maxPath {
			t.Errorf("%+v", r)
		}
	})
}
