package audit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/internal/unix"
)

const maps = `55d0c2a00000-55d0c2a01000 r--p 00000000 fe:00 131 /usr/bin/a
55d0c2a01000-55d0c2a02000 r-xp 00001000 fe:00 131                        /usr/bin/a b (deleted)
7f0000000000-7f0000001000 r-xp 00002000 00:2f 99 /lib/x.so
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
7ffd00002000-7ffd00003000 r-xp 00000000 00:00 0
7ffd00002000 r-xp 00000000 00:00 7 /bad
`

func TestParseMaps(t *testing.T) {
	want := []mapping{
		{0x55d0c2a01000, 0x55d0c2a02000, 0x1000, unix.Device(0xfe, 0), 131, "/usr/bin/a b", true},
		{0x7f0000000000, 0x7f0000001000, 0x2000, unix.Device(0, 0x2f), 99, "/lib/x.so", false},
	}
	if d := cmp.Diff(want, parseMaps([]byte(maps)), cmp.AllowUnexported(mapping{})); d != "" {
		t.Error(d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(maps)
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMaps([]byte(text)) {
			if m.inode == 0 || m.path == "" || m.path[0] != '/' {
				t.Errorf("%+v", m)
			}
		}
	})
}
