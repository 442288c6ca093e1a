package attach

import (
	"math/rand/v2"
	"testing"
)

// What is taken never overlaps, and all of it comes back.
func TestRoom(t *testing.T) {
	const size = 200
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newRoom(size)
	var used [size]bool
	var taken []stretch
	refused := 0
	for range 10_000 {
		if rnd.IntN(2) == 0 && len(taken) > 0 {
			i := rnd.IntN(len(taken))
			s := taken[i]
			taken = append(taken[:i], taken[i+1:]...)
			for n := s.first; n < s.end; n++ {
				used[n] = false
			}
			r.give(s.first, s.end-s.first)
			continue
		}
		n := 1 + rnd.Uint32N(20)
		first, ok := r.take(n)
		if !ok {
			refused++
			continue
		}
		for i := first; i < first+n; i++ {
			if used[i] {
				t.Fatalf("%d is given out twice", i)
			}
			used[i] = true
		}
		taken = append(taken, stretch{first, first + n})
	}
	for _, s := range taken {
		r.give(s.first, s.end-s.first)
	}
	if len(r.free) != 1 || r.free[0] != (stretch{0, size}) {
		t.Errorf("free in the end: %v", r.free)
	}
	if refused == 0 {
		t.Error("it was never full: the test tests nothing")
	}
}
