//go:build linux && (amd64 || arm64)

package supervise

import (
	"sync"

	"github.com/surehook/surehook/supervise/internal/gate"
)

// queue holds openings until they are looked at: whoever reads them must never
// wait.
type queue struct {
	mu     sync.Mutex
	list   []gate.Opening
	ready  chan struct{}
	closed bool
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

func (q *queue) put(o gate.Opening) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		o.Allow()
		o.File.Close()
		return
	}
	q.list = append(q.list, o)
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take waits for openings; ok is false after close.
func (q *queue) take() (list []gate.Opening, ok bool) {
	if _, ok := <-q.ready; !ok {
		return nil, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	list, q.list = q.list, nil
	return list, true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, o := range q.list {
		o.Allow()
		o.File.Close()
	}
	q.list = nil
	close(q.ready)
}
