package unix

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMounts(t *testing.T) {
	got := ParseMounts("25 1 254:0 / / rw - ext4 /dev/vda rw\n31 25 0:29 /r /a\\040b\\134c\\012 rw,nosuid shared:3 master:1 - overlay x rw,lowerdir=/l\\054m:/n,upperdir=/u\n" +
		"x 25 0:29 / /b rw - tmpfs x rw\n32 25 0:29 / /b rw\n33 25 0:29 / /b rw - tmpfs\n\n")
	want := []Mount{
		{ID: 25, Root: "/", Point: "/", Type: "ext4", Options: []string{"rw"}},
		{ID: 31, Root: "/r", Point: "/a b\\c\n", Type: "overlay", Options: []string{"rw", "lowerdir=/l,m:/n", "upperdir=/u"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add("31 25 0:29 /r /a\\040b rw shared:3 - overlay x lowerdir=/l\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range ParseMounts(text) {
			if m.Type == "" || m.Point == "" || len(m.Options) == 0 {
				t.Errorf("%+v", m)
			}
		}
	})
}
