package elfbin

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestLinks(t *testing.T) {
	f := image{sections: []part{
		debug(".gnu_debuglink", pack("prog.debug\x00", uint8(0), uint32(0x12345678))),
		debug(".gnu_debugaltlink", pack("/usr/lib/debug/.dwz/x.debug\x00", "\xab\xcd")),
	}}.open(t)
	if name, crc, ok := f.DebugLink(); name != "prog.debug" || crc != 0x12345678 || !ok {
		t.Errorf("debug link %q, %#x, %v", name, crc, ok)
	}
	if name, id, ok := f.AltLink(); name != "/usr/lib/debug/.dwz/x.debug" || id != "abcd" || !ok {
		t.Errorf("alternate link %q, %q, %v", name, id, ok)
	}
	sup := func(data []byte) *File { return image{sections: []part{debug(".debug_sup", data)}}.open(t) }
	if name, id, ok := sup(pack(uint16(5), uint8(0), "x.sup\x00", uint8(2), "\x01\x02")).AltLink(); name != "x.sup" || id != "0102" || !ok {
		t.Errorf("supplementary file %q, %q, %v", name, id, ok)
	}
	for _, data := range [][]byte{
		pack(uint16(5), uint8(1), "x.sup\x00", uint8(2), "\x01\x02"), // is one itself
		pack(uint16(5), uint8(0), "x.sup\x00", uint8(9), "\x01\x02"),
		pack(uint16(5), uint8(0), "x.sup"),
		{5},
	} {
		if name, id, ok := sup(data).AltLink(); ok {
			t.Errorf("% x: got %q, %q", data, name, id)
		}
	}
	for _, data := range []string{"prog.debug", "prog.debug\x00\x00\x01\x02", "\x00\x00\x00\x00\x01\x02\x03\x04"} {
		f := image{sections: []part{debug(".gnu_debuglink", []byte(data))}}.open(t)
		if name, _, ok := f.DebugLink(); ok {
			t.Errorf("%q: got %q", data, name)
		}
	}
}

// stripped is a program without debug information, and withDWARF its debug file.
func stripped(id string, crc uint32) image {
	im := image{sections: []part{
		code(".text", 0x1000, make([]byte, 16)...),
		debug(".gnu_debuglink", pack("prog.debug\x00", uint8(0), crc)),
	}}
	if id != "" {
		im.sections = append(im.sections, note(id))
	}
	return im
}

func withDWARF(id string) image {
	im := image{sections: []part{
		{name: ".text", typ: elf.SHT_NOBITS, flags: ax, addr: 0x1000, size: 16},
		debug(".debug_info", []byte("debug information")),
	}}
	if id != "" {
		im.sections = append(im.sections, note(id))
	}
	return im
}

func TestFindDebug(t *testing.T) {
	const id = "\xab\xcd\xef\x01"
	good, other, noID := withDWARF(id).bytes(), withDWARF("\x01\x02").bytes(), withDWARF("").bytes()
	arm := withDWARF(id)
	arm.machine = elf.EM_AARCH64
	bare := image{sections: []part{note(id)}}.bytes()
	const byID = "usr/lib/debug/.build-id/ab/cdef01.debug"
	files := func(at map[string][]byte) fstest.MapFS {
		root := fstest.MapFS{}
		for name, b := range at {
			root[name] = &fstest.MapFile{Data: b, Mode: 0o644}
		}
		return root
	}
	tests := []struct {
		name    string
		id      string
		crc     []byte // what .gnu_debuglink's CRC is of
		root    map[string][]byte
		want    string
		refused bool
		tried   string // a part of Search
	}{
		{"build id", id, good, map[string][]byte{byID: good}, "/" + byID, false, "found"},
		{"beside", id, good, map[string][]byte{"opt/test/prog.debug": good}, "/opt/test/prog.debug", false, "/usr/lib/debug/.build-id/ab/cdef01.debug does not exist"},
		{".debug", id, good, map[string][]byte{"opt/test/.debug/prog.debug": good}, "/opt/test/.debug/prog.debug", false, ""},
		{"debug dir", id, good, map[string][]byte{"usr/lib/debug/opt/test/prog.debug": good}, "/usr/lib/debug/opt/test/prog.debug", false, ""},
		{"nowhere", id, good, nil, "", false, "/usr/lib/debug/opt/test/prog.debug does not exist"},
		{"other id", id, other, map[string][]byte{byID: other}, "", true, `has another build id: /opt/test/prog has "abcdef01", /` + byID + ` has "0102"`},
		{"other id by link", id, other, map[string][]byte{"opt/test/prog.debug": other}, "", true, "has another build id"},
		{"second is right", id, good, map[string][]byte{byID: other, "opt/test/prog.debug": good}, "/opt/test/prog.debug", true, ""},
		{"wrong CRC", id, other, map[string][]byte{"opt/test/prog.debug": good}, "", true, "another CRC"},
		{"other architecture", id, good, map[string][]byte{byID: arm.bytes()}, "", true, "is for another architecture: arm64"},
		{"not ELF", id, good, map[string][]byte{byID: []byte("text")}, "", true, "cannot be read"},
		{"no debug information", id, good, map[string][]byte{byID: bare}, "", false, "has no debug information"},
		{"directory", id, good, map[string][]byte{byID + "/x": good}, "", true, "not a regular file"},
		{"no id", "", noID, map[string][]byte{"opt/test/prog.debug": noID}, "/opt/test/prog.debug", false, "build id not searched"},
		{"no id, file has one", "", good, map[string][]byte{"opt/test/prog.debug": good}, "", true, "another build id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := stripped(tt.id, crc32.ChecksumIEEE(tt.crc)).open(t)
			got, search := FindDebug(f, DebugOptions{Root: files(tt.root)})
			if (got != nil) != (tt.want != "") || search.Path != tt.want {
				t.Fatalf("found %q, want %q; %v", search.Path, tt.want, search)
			}
			if search.Refused() != tt.refused || !strings.Contains(search.String(), tt.tried) {
				t.Errorf("refused %v: %v", search.Refused(), search)
			}
			if got == nil {
				return
			}
			if b, err := got.Section(".debug_info"); string(b) != "debug information" || err != nil {
				t.Errorf("contents: %q, %v", b, err)
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFindDebugFetch: what is fetched comes last, and is judged like a file.
func TestFindDebugFetch(t *testing.T) {
	const id = "\xab\xcd\xef\x01"
	tests := []struct {
		name  string
		image image
		err   error
		want  string
		tried string
	}{
		{"found", withDWARF(id), nil, "/opt/test/prog", "/opt/test/prog found"},
		{"other build id", withDWARF("\x01\x02"), nil, "", "has another build id"},
		{"nobody has it", image{}, fmt.Errorf("https://example.org: 404: %w", fs.ErrNotExist), "", "build id abcdef01 does not exist: https://example.org: 404"},
		{"no answer", image{}, errors.New("https://example.org: timeout"), "", "build id abcdef01 cannot be read: https://example.org: timeout"},
	}
	for _, tt := range tests {
		for _, root := range []fs.FS{nil, fstest.MapFS{}} {
			asked := ""
			opts := DebugOptions{Root: root, Fetch: func(id string) (*File, error) {
				asked = id
				if tt.err != nil {
					return nil, tt.err
				}
				return tt.image.open(t), nil
			}}
			got, search := FindDebug(stripped(id, 0).open(t), opts)
			if (got != nil) != (tt.want != "") || search.Path != tt.want || asked != "abcdef01" || !strings.Contains(search.String(), tt.tried) {
				t.Errorf("%s: asked for %q; %v", tt.name, asked, search)
			}
		}
	}
	f := withDWARF(id).open(t)
	if got, _ := FindDebug(f, DebugOptions{Fetch: func(string) (*File, error) { t.Error("fetched although the file has it"); return nil, fs.ErrNotExist }}); got != f {
		t.Error("not found in the file")
	}
}

func TestFindDebugInFile(t *testing.T) {
	f := withDWARF("").open(t)
	if got, search := FindDebug(f, DebugOptions{}); got != f || search.Path != "/opt/test/prog" {
		t.Errorf("got %v, %v", got, search)
	}
	f = stripped("", 0).open(t)
	got, search := FindDebug(f, DebugOptions{})
	if d := cmp.Diff([]Attempt{{"/opt/test/prog", NoDWARF, ""}}, search.Attempts); got != nil || d != "" {
		t.Errorf("got %v, %s", got, d)
	}
}

// TestFindDebugHostileLink proves that a link cannot lead out of its places.
func TestFindDebugHostileLink(t *testing.T) {
	for _, name := range []string{"../../etc/shadow", "/etc/shadow", "..", "."} {
		data := append([]byte(name), make([]byte, 4-len(name)%4)...)
		f := image{sections: []part{debug(".gnu_debuglink", append(data, 1, 2, 3, 4))}}.open(t)
		_, search := FindDebug(f, DebugOptions{Root: fstest.MapFS{}})
		if !strings.Contains(search.String(), "not a plain file name") || strings.Contains(search.String(), "not exist") {
			t.Errorf("%s: %v", name, search)
		}
	}
}

func TestFindDebugRelativePath(t *testing.T) {
	b := stripped("", 0).bytes()
	f, err := New(bytes.NewReader(b), int64(len(b)), "prog")
	if err != nil {
		t.Fatal(err)
	}
	if _, search := FindDebug(f, DebugOptions{Root: fstest.MapFS{}}); !strings.Contains(search.String(), "directory of prog is not known") {
		t.Error(search)
	}
	found, search := FindDebug(f, DebugOptions{Root: fstest.MapFS{"a/.debug/prog.debug": {Data: b}}, Beside: []string{"/a"}})
	if found != nil || !strings.Contains(search.String(), "/a/.debug/prog.debug has no debug information") {
		t.Error(search)
	}
}

// plainFS hides ReadAt, as file systems in archives do.
type plainFS struct{ fs.FS }

type plainFile struct{ fs.File }

func (p plainFS) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	return plainFile{f}, err
}

func TestFindDebugWithoutReadAt(t *testing.T) {
	good := withDWARF("\x01\x02\x03").bytes()
	root := plainFS{fstest.MapFS{"usr/lib/debug/.build-id/01/0203.debug": {Data: good}}}
	if file, _ := root.Open("usr/lib/debug/.build-id/01/0203.debug"); file != nil {
		if _, ok := file.(io.ReaderAt); ok {
			t.Fatal("the test's file system has ReadAt")
		}
	}
	got, search := FindDebug(stripped("\x01\x02\x03", 0).open(t), DebugOptions{Root: root})
	if got == nil || !got.HasDWARF() {
		t.Error(search)
	}
}
