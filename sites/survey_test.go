package sites

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
)

// TestSurvey: a survey gives what Resolve gives.
func TestSurvey(t *testing.T) {
	b, err := open(tinyGCC)
	if err != nil {
		t.Fatal(err)
	}
	want, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Function: "*"})
	if err != nil {
		t.Fatal(err)
	}
	var got []Result
	b.Survey(hook.Uprobe, nil, func(r *Result) { got = append(got, *r) })
	slices.SortFunc(got, func(a, b Result) int { return strings.Compare(a.Function, b.Function) })
	if diff := cmp.Diff(outline(want), outline(got)); diff != "" {
		t.Errorf("-Resolve +Survey:\n%s", diff)
	}
	n := 0
	b.Survey(hook.Uprobe, func(name string) bool { return name == "add" }, func(*Result) { n++ })
	if n != 1 {
		t.Errorf("%d results of one name", n)
	}
}

// TestSurveyOrder: however long the single functions take, the order is one.
func TestSurveyOrder(t *testing.T) {
	var got []int
	done := newTurns(func(r *Result) { got = append(got, r.Notes.Copies) })
	const n = 3 * maxWaiting
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				done.wait(i)
				runtime.Gosched()
				r := Result{}
				r.Notes.Copies = i
				done.hand(i, &r)
			}
		})
	}
	wg.Wait()
	if len(got) != n || !slices.IsSorted(got) {
		t.Errorf("%d of %d results, sorted: %v", len(got), n, slices.IsSorted(got))
	}
}
