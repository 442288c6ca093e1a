package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// namesakes are files that each have a function pick, whose copies take long to
// look at in every second file. Where the jump of a caller leads is not known.
func namesakes(n int) []string {
	files := []string{"void *where(void *a, void *b) { return b; }"}
	for i := range n {
		var b strings.Builder
		b.WriteString(`
int vfs_open(int);
void *where(void *, void *);
static inline int pick(int n) { vfs_open(n); return vfs_open(n + 1); }
`)
		for j := range 1 + i%2*40 {
			fmt.Fprintf(&b, "int caller_%d_%d(int n) { goto *where(&&a, &&b); a: return pick(n); b: return pick(n + %d) * 2; }\n", i, j, j)
		}
		files = append(files, b.String())
	}
	return files
}

// TestSameBytes: a kernel gives the same snapshot each time, however the work on it
// is spread. Functions of one name are judged together, so that their order counts.
func TestSameBytes(t *testing.T) {
	path := buildKernel(t, namesakes(8)...)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	var first []byte
	for i := range 20 {
		s := read(t, Options{}, input(t, path))
		if f := function(t, s, "pick"); len(f.Copies) == 0 || len(f.Plan.Reasons) == 0 {
			t.Fatalf("%d copies, %+v", len(f.Copies), f.Plan)
		}
		all, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = all
		} else if !bytes.Equal(first, all) {
			t.Fatalf("read %d gives other facts, or in another order", i)
		}
	}
}
