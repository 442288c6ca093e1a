package sites

import "testing"

func TestDwindled(t *testing.T) {
	for _, c := range []struct {
		sizes  []int
		effect bool
		want   bool
	}{
		{[]int{9, 8, 2}, false, true},
		{[]int{3, 3, 1}, false, true},
		{[]int{9, 8, 3}, false, false},
		{[]int{9, 1}, false, false},   // too few to tell
		{[]int{9, 8, 2}, true, false}, // a write is not left out
		{nil, false, false},
	} {
		var found []copyResult
		for _, n := range c.sizes {
			found = append(found, copyResult{size: n})
		}
		if c.effect {
			found[0].effect = true
		}
		if got := dwindled(found); got != c.want {
			t.Errorf("%v, effect %v: %v, want %v", c.sizes, c.effect, got, c.want)
		}
	}
}
