//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

const (
	// readyPace is less than the grace period after which the kernel's lock is
	// slow again: some 8 ms where the clock ticks 250 times a second.
	readyPace = 4 * time.Millisecond
	// readyLinks bounds the links that are on their way out, each for some 50 ms.
	readyLinks = 24
)

// Ready has attaching take some 0.2 ms for as long as d, instead of the 5 to
// 15 ms of a grace period of RCU: whoever knows that there will be something to
// attach calls it before, and again. It takes 5 % of a processor meanwhile.
//
// Every attachment takes the kernel's dup_mmap_sem for writing, which first
// waits for a grace period unless another has had it just before (rcu_sync_enter).
// So a probe on a page of our own comes and goes. Without uprobe_multi, where closing is slow, it does
// nothing.
func (b *Base) Ready(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || !b.can.multi {
		return
	}
	if end := time.Now().Add(d); end.After(b.readyUntil) {
		b.readyUntil = end
	}
	if b.keeping {
		return
	}
	b.keeping = true
	b.keepers.Go(b.keepReady)
}

func (b *Base) keepReady() {
	k := keeper{prog: multi{prog: b.objs.Hit}}
	err := k.open()
	for err == nil && b.awaited() {
		err = k.pass()
		time.Sleep(readyPace)
	}
	if err = errors.Join(err, k.close()); err != nil {
		b.log.Debug("keeping the kernel ready", "err", err)
	}
	b.mu.Lock()
	b.keeping = false
	b.mu.Unlock()
}

// awaited tells whether something may be attached soon.
func (b *Base) awaited() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.closed && time.Now().Before(b.readyUntil)
}

// keeper puts probes on a page that nobody maps, and takes them off.
type keeper struct {
	prog    multi
	page    *target
	stay    io.Closer // keeps the uprobe itself, so that only its users change
	leaving sync.WaitGroup
	slots   chan struct{}
}

var keeperBreak = []breakpoint{{offset: 8, count: 1}} // no entry is looked up where nothing runs

func (k *keeper) open() error {
	f, err := unix.MemoryFile("surehook-ready", os.Getpagesize())
	if err != nil {
		return err
	}
	k.page, k.slots = &target{file: f, path: f.Name()}, make(chan struct{}, readyLinks)
	k.stay, err = k.prog.link(k.page, keeperBreak, 0)
	return err
}

func (k *keeper) pass() error {
	select {
	case k.slots <- struct{}{}:
	default: // enough come and go
		return nil
	}
	l, err := k.prog.link(k.page, keeperBreak, 0)
	if err != nil {
		return err
	}
	k.leaving.Go(func() {
		l.Close()
		<-k.slots
	})
	return nil
}

func (k *keeper) close() error {
	k.leaving.Wait()
	var err error
	if k.stay != nil {
		err = k.stay.Close()
	}
	if k.page != nil {
		err = errors.Join(err, k.page.file.Close())
	}
	return err
}
