package sites

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
)

// TestConcurrent: a Binary may be asked from several goroutines, and the
// answer does not depend on what was asked before.
func TestConcurrent(t *testing.T) {
	h := hook.Hook{Kind: hook.Uprobe, Function: "*"}
	alone, err := open(tinyGCC)
	if err != nil {
		t.Fatal(err)
	}
	var want []Result
	for _, f := range []string{"_start", "act", "add", "drain", "loop"} {
		r, err := alone.Resolve(hook.Hook{Kind: hook.Uprobe, Function: f})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, r...)
	}
	b, err := open(tinyGCC)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got, err := b.Resolve(h)
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(outline(want), outline(got)); diff != "" {
				t.Errorf("-alone +together:\n%s", diff)
			}
		})
	}
	wg.Wait()
}
