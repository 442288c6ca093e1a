package vmtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInitramfs(t *testing.T) {
	from := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(from, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err := writeInitramfs(&b, []File{
		{Name: "/a/b/data", Data: []byte("12345"), Mode: 0o644},
		{Name: "/a/from", From: from},
		{Name: "/bin", Link: "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"proc 40755 ", "sys 40755 ", "dev 40755 ", "tmp 40755 ", "dev/console 20600 ", "a 40755 ", "a/b 40755 ",
		"a/b/data 100644 12345", "a/from 100755 from a file", "bin 120777 a", "TRAILER!!! 0 ",
	}
	if diff := cmp.Diff(want, listArchive(t, b.Bytes())); diff != "" {
		t.Error(diff)
	}
	if err := writeInitramfs(&b, []File{{Name: "/x", From: from + "-"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// listArchive reads the newc form: 110 bytes of head, the name and the data,
// both padded to 4 bytes.
func listArchive(t *testing.T, data []byte) []string {
	t.Helper()
	var list []string
	pad := func(n int) int { return (n + 3) &^ 3 }
	for len(data) > 0 {
		var magic string
		var v [13]int
		if _, err := fmt.Sscanf(string(data[:110]), "%6s%8X%8X%8X%8X%8X%8X%8X%8X%8X%8X%8X%8X%8X", &magic, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10], &v[11], &v[12]); err != nil || magic != "070701" {
			t.Fatalf("%q: %v", data[:110], err)
		}
		size, name := v[6], string(data[110:110+v[11]-1])
		data = data[pad(110+v[11]):]
		list = append(list, fmt.Sprintf("%s %o %s", name, v[1], data[:size]))
		data = data[pad(size):]
	}
	return list
}
