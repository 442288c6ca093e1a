package elfbin

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// altUser is a file with debug information that names an alternate file.
func altUser(name, id string) image {
	im := withDWARF("\x01\x02\x03")
	im.sections = append(im.sections, debug(".gnu_debugaltlink", pack(name+"\x00", id)))
	return im
}

func supOf(is uint8, id string) image {
	im := withDWARF("")
	im.sections = append(im.sections, debug(".debug_sup", pack(uint16(5), is, "\x00", uint8(len(id)), id)))
	return im
}

func TestFindAlt(t *testing.T) {
	const id, dwz = "\xab\xcd\xef\x01", "/usr/lib/debug/.dwz/x86_64-linux-gnu/x.debug"
	good, other := withDWARF(id).bytes(), withDWARF("\x09\x09\x09").bytes()
	onlyText := image{sections: []part{note(id), debug(".debug_str", []byte("a\x00"))}}.bytes()
	arm := withDWARF(id)
	arm.machine = 183
	const byID = "usr/lib/debug/.build-id/ab/cdef01.debug"
	tests := []struct {
		name, link string
		root       map[string][]byte
		want       string
		tried      string
	}{
		{"Debian", dwz, map[string][]byte{dwz[1:]: good}, dwz, "found"},
		{"build id", dwz, map[string][]byte{byID: good}, "/" + byID, dwz + " does not exist"},
		{"Fedora", "../../usr/lib/debug/.dwz/x", map[string][]byte{"usr/lib/debug/.dwz/x": good}, "/usr/lib/debug/.dwz/x", ""},
		{"beside", "common.debug", map[string][]byte{"opt/test/common.debug": good}, "/opt/test/common.debug", ""},
		{"moved debug directory", "/elsewhere/.dwz/x", map[string][]byte{"usr/lib/debug/.dwz/x": good}, "/usr/lib/debug/.dwz/x", "/elsewhere/.dwz/x does not exist"},
		{"strings only", "x", map[string][]byte{"opt/test/x": onlyText}, "/opt/test/x", ""},
		{"supplementary", "x", map[string][]byte{"opt/test/x": supOf(1, id).bytes()}, "/opt/test/x", ""},
		{"user of a supplementary", "x", map[string][]byte{"opt/test/x": supOf(0, id).bytes()}, "", "has another build id"},
		{"other id", "x", map[string][]byte{"opt/test/x": other}, "", `/opt/test/x has another build id: /opt/test/prog names "abcdef01", /opt/test/x has "090909"`},
		{"second is right", "x", map[string][]byte{"opt/test/x": other, byID: good}, "/" + byID, "another build id"},
		{"other architecture", "x", map[string][]byte{"opt/test/x": arm.bytes()}, "", "another architecture"},
		{"not ELF", "x", map[string][]byte{"opt/test/x": []byte("text")}, "", "cannot be read"},
		{"outside", "../../../../etc/shadow", map[string][]byte{"etc/shadow": good}, "/etc/shadow", ""}, // of the root, never above it
		{"nowhere", "x", nil, "", "/opt/test/x does not exist; /" + byID + " does not exist"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, b := range tt.root {
				root[name] = &fstest.MapFile{Data: b}
			}
			got, search := FindAlt(altUser(tt.link, id).open(t), DebugOptions{Root: root})
			if (got != nil) != (tt.want != "") || search.Path != tt.want || !strings.Contains(search.String(), tt.tried) {
				t.Fatalf("found %q, want %q; %v", search.Path, tt.want, search)
			}
		})
	}
}

func TestFindAltNotSearched(t *testing.T) {
	got, search := FindAlt(withDWARF("").open(t), DebugOptions{Root: fstest.MapFS{}})
	if d := cmp.Diff([]Attempt{{"alternate file", NotSearched, "/opt/test/prog names none"}}, search.Attempts); got != nil || d != "" {
		t.Error(d)
	}
	for _, opts := range []DebugOptions{{}, {Root: fstest.MapFS{}}} {
		id := map[bool]string{true: "\xab\xcd\xef", false: ""}[opts.Root == nil]
		if got, search := FindAlt(altUser("x", id).open(t), opts); got != nil || len(search.Attempts) != 1 || search.Attempts[0].Outcome != NotSearched {
			t.Error(search)
		}
	}
}

// An alternate file is fetched by its build id, and judged.
func TestFindAltFetch(t *testing.T) {
	for _, root := range []fs.FS{nil, fstest.MapFS{}} {
		for id, want := range map[string]bool{"\xab\xcd\xef": true, "\x09\x09\x09": false} {
			var asked []string
			got, search := FindAlt(altUser("x", "\xab\xcd\xef").open(t), DebugOptions{Root: root, Fetch: func(id_ string) (*File, error) {
				asked = append(asked, id_)
				return withDWARF(id).open(t), nil
			}})
			if (got != nil) != want || !slices.Equal(asked, []string{"abcdef"}) {
				t.Errorf("asked for %q: %v", asked, search)
			}
		}
	}
	_, search := FindAlt(altUser("x", "\xab\xcd\xef").open(t), DebugOptions{Fetch: func(string) (*File, error) { return nil, errors.New("timeout") }})
	if !strings.Contains(search.String(), "build id abcdef cannot be read: timeout") {
		t.Error(search)
	}
}
