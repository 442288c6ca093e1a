package sites

import (
	"cmp"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/surehook/surehook/hook"
)

// Survey resolves every function of the file that keep accepts by its source
// name, as Resolve does with a hook of that name, and gives each result to
// visit, one at a time, in an order that depends on the file alone. It is for
// whole files: no result is kept and little of what was computed for one, so
// that memory stays bounded. keep may be nil for all. visit may be called from
// any goroutine.
func (b *Binary) Survey(kind hook.Kind, keep func(name string) bool, visit func(*Result)) {
	var chosen []*function
	for _, f := range b.index.live() {
		if keep == nil || keep(f.name) {
			chosen = append(chosen, f)
		}
	}
	chosen = sorted(chosen, func(f, g **function) int { return cmp.Compare((*f).place(), (*g).place()) })
	var next atomic.Int64
	done := newTurns(visit)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(chosen)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chosen); i = int(next.Add(1)) - 1 {
				f := chosen[i]
				done.wait(i)
				r := b.resolveFunction(hook.Hook{Kind: kind, Target: b.file.Path(), Function: f.name}, f)
				b.forget(f)
				done.hand(i, &r)
			}
		})
	}
	wg.Wait()
}

// maxWaiting bounds the results that wait for one before them: some functions
// take a second, most less than a millisecond.
const maxWaiting = 4096

// turns hands on numbered results in the order of their numbers.
type turns struct {
	visit   func(*Result)
	mu      sync.Mutex
	moved   *sync.Cond
	next    int
	waiting map[int]*Result
}

func newTurns(visit func(*Result)) *turns {
	t := &turns{visit: visit, waiting: map[int]*Result{}}
	t.moved = sync.NewCond(&t.mu)
	return t
}

// wait holds up whoever is too far ahead with result i.
func (t *turns) wait(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i >= t.next+maxWaiting {
		t.moved.Wait()
	}
}

// hand takes result i and visits those whose turn it is.
func (t *turns) hand(i int, r *Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting[i] = r
	for r := t.waiting[t.next]; r != nil; r = t.waiting[t.next] {
		t.visit(r)
		delete(t.waiting, t.next)
		t.next++
	}
	t.moved.Broadcast()
}

// maxKept is how many instructions the graphs that a survey keeps may have
// in all: some 100 bytes each.
const maxKept = 1 << 20

// manyCopies is the number of copies from which a function needs bodies from
// all over the file.
const manyCopies = 64

// place orders functions so that those whose copies lie near each other, as
// the static functions of one source file, need the same graphs.
func (f *function) place() int64 {
	first := int64(0)
	if len(f.copies) > 0 {
		first = int64(f.copies[0])
	} else if len(f.bodies) > 0 {
		return -1
	}
	if len(f.copies) > manyCopies {
		first += 1 << 32
	}
	return first
}

// forget drops what the bodies that hold copies of f know of the copies: of
// each some bytes an instruction of the body. The graphs stay.
func (b *Binary) forget(f *function) {
	last := int32(-1)
	for _, i := range f.copies {
		die := b.data.Copy(i).Func
		if die == last {
			continue
		}
		last = die
		b.mu.Lock()
		bd := b.bodies[die]
		b.mu.Unlock()
		if bd != nil {
			bd.mu.Lock()
			clear(bd.known)
			bd.mu.Unlock()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept > maxKept {
		clear(b.bodies)
		b.kept = 0
	}
}
