//go:build linux

package overlay

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const info = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
36 22 0:39 / /var/c\0401/merged rw,relatime - overlay overlay rw,lowerdir=/l1:/with\:colon:/l3,upperdir=/u,workdir=/w
37 22 0:40 /usr /mnt ro,relatime shared:5 master:6 - overlay none ro,lowerdir=/a::/data
38 22 0:41 / /new rw - overlay overlay rw,lowerdir+=/x,lowerdir+=/y\134z,upperdir=/u2
39 22 0:42 / / rw
40 22
`

func TestParse(t *testing.T) {
	for mount, want := range map[uint64]*Layers{
		22: nil, 39: nil, 40: nil, 99: nil,
		36: {Point: "/var/c 1/merged", Root: "/", Upper: "/u", Lower: []string{"/l1", "/with:colon", "/l3"}},
		37: {Point: "/mnt", Root: "/usr", Lower: []string{"/a", "/data"}},
		38: {Point: "/new", Root: "/", Upper: "/u2", Lower: []string{"/x", `/y\z`}},
	} {
		if diff := cmp.Diff(want, parse(info, mount)); diff != "" {
			t.Errorf("mount %d: %s", mount, diff)
		}
	}
}

// Long lists of layers are mounted by names relative to their directory.
func TestComplete(t *testing.T) {
	dirs := map[string]bool{"/s/1/fs": true, "/s/2/fs": true, "/s/9/1/fs": true}
	for _, c := range []struct{ upper, lower, want string }{
		{"/s/9/fs", "1/fs:2/fs", "/s/1/fs /s/2/fs"},
		{"/s/9/fs", "/a:2/fs", "/a /s/2/fs"},
		{"/s/9/fs", "1/fs:3/fs", "1/fs 3/fs"},
		{"/s/9/fs", "/a:/b", "/a /b"},
		{"9/fs", "1/fs", "1/fs"},
		{"", "1/fs", "1/fs"},
	} {
		l := Layers{Upper: c.upper, Lower: splitLower(c.lower)}
		l.complete(func(dir string) bool { return dirs[dir] })
		if got := strings.Join(l.Lower, " "); got != c.want {
			t.Errorf("%s over %s: %s, want %s", c.upper, c.lower, got, c.want)
		}
	}
}

func TestInside(t *testing.T) {
	for _, c := range []struct{ point, root, name, want string }{
		{"/merged", "/", "/merged/usr/lib/x.so", "/usr/lib/x.so"},
		{"/merged", "/", "/merged/x.so (deleted)", "/x.so"},
		{"/mnt", "/usr", "/mnt/lib/x.so", "/usr/lib/x.so"},
		{"/", "/", "/lib/x.so", "/lib/x.so"},
	} {
		l := Layers{Point: c.point, Root: c.root}
		if got := l.inside(c.name); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(info, uint64(36))
	f.Add(info, uint64(38))
	f.Fuzz(func(t *testing.T, text string, mount uint64) {
		if l := parse(text, mount); l != nil {
			l.inside("/x")
		}
	})
}
