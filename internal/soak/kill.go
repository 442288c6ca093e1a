//go:build linux && (amd64 || arm64)

package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Moment is one at which a daemon is killed.
type Moment string

// The moments.
const (
	Anytime   Moment = "at any time"
	Starting  Moment = "while it started"
	Replacing Moment = "while the library was being replaced"
	Opening   Moment = "while it held somebody who opens the library"
	Writing   Moment = "while it held somebody who writes the library"
	Standing  Moment = "while it had processes stand still"
)

// Moments are all of them.
func Moments() []Moment { return []Moment{Anytime, Starting, Replacing, Opening, Writing, Standing} }

// Kill runs the program as a daemon that counts, and kills it about that often.
func Kill(o Options, program string, kills int) (*Killed, error) {
	k := &killer{rnd: rand.New(rand.NewPCG(o.Seed, 2)), kills: kills, out: &Killed{While: map[Moment]int{}}}
	var err error
	o.Count = func(library string) (Counter, error) {
		if k.d, err = NewDaemon(filepath.Join(o.Dir, "daemon"), program, library); err != nil {
			return nil, err
		}
		if err := k.d.Start(); err != nil {
			return nil, err
		}
		_, err := k.d.await()
		return k, err
	}
	o.Beside = k.run
	if k.out.Outcome, err = Run(o); err != nil {
		return nil, err
	}
	k.out.Counters = k.d.wrong
	left, err := leftover(o.Dir)
	k.out.Left = append(k.out.Left, left...)
	return k.out, err
}

// killer is the Counter that a daemon is.
type killer struct {
	d     *Daemon
	l     *Load
	rnd   *rand.Rand
	kills int
	out   *Killed
}

// Calls gives what was counted.
func (k *killer) Calls() (Calls, error) {
	if _, err := k.d.await(); err != nil {
		return Calls{}, err
	}
	return k.d.scrape(k.l.Truth)
}

// Close ends the daemon for good.
func (k *killer) Close() error {
	var err error
	k.out.Left, err = k.d.end()
	return errors.Join(err, k.d.Close())
}

// scrapePause is how often counters are read.
const scrapePause = 50 * time.Millisecond

// run kills the daemon again and again until ctx ends, and begins it anew.
func (k *killer) run(ctx context.Context, l *Load) error {
	k.l = l
	scraping := make(chan struct{})
	go func() {
		defer close(scraping)
		for ctx.Err() == nil {
			_, _ = k.d.scrape(l.Truth) // none is there, or it has just been killed
			time.Sleep(scrapePause)
		}
	}()
	defer func() { <-scraping }()
	wishes := []Moment{Anytime, Replacing, Opening, Writing, Standing}
	for i := 0; k.out.Kills < k.kills && ctx.Err() == nil; i++ {
		if err := k.wait(ctx, wishes[i%len(wishes)]); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		if err := k.once(); err != nil {
			return err
		}
	}
	return k.ready()
}

// once kills the daemon and begins another one at once.
func (k *killer) once() error {
	seen := k.seen()
	at := time.Now()
	since, err := k.d.Kill()
	if err != nil {
		return err
	}
	if since.IsZero() {
		seen = append(seen, Starting)
	} else {
		k.up(since)
		k.out.Down = append(k.out.Down, Span{From: at})
	}
	k.out.Kills++
	for _, m := range seen {
		k.out.While[m]++
	}
	return k.d.Start()
}

// ready waits until the daemon is ready.
func (k *killer) ready() error {
	since, err := k.d.await()
	if err == nil {
		k.up(since)
	}
	return err
}

// up ends the time that none was ready, if it has not ended.
func (k *killer) up(since time.Time) {
	if n := len(k.out.Down); n > 0 && k.out.Down[n-1].To.IsZero() {
		k.out.Down[n-1].To = since
	}
}

const (
	// look is how often is looked for a moment, patience for how long.
	look     = 200 * time.Microsecond
	patience = time.Second
	// anyTime bounds how long a daemon may live at least: it needs some of it to start.
	anyTime = 600 * time.Millisecond
)

// wait waits for a moment, and a little longer.
func (k *killer) wait(ctx context.Context, m Moment) error {
	end := time.Now().Add(patience)
	if m == Anytime {
		end = time.Now().Add(time.Duration(k.rnd.Int64N(int64(anyTime))))
		select {
		case <-k.d.Ready():
			if err := k.ready(); err != nil {
				return err
			}
			time.Sleep(time.Until(end))
		case <-time.After(time.Until(end)):
		}
		return nil
	}
	if err := k.ready(); err != nil {
		return err
	}
	version := k.l.Newest()
	for ctx.Err() == nil && time.Now().Before(end) {
		if m == Replacing && k.l.Newest() != version {
			time.Sleep(time.Duration(k.rnd.Int64N(int64(10 * time.Millisecond))))
			return nil
		}
		for _, s := range k.seen() {
			if s == m {
				time.Sleep(time.Duration(k.rnd.Int64N(int64(2 * time.Millisecond))))
				return nil
			}
		}
		time.Sleep(look)
	}
	return nil
}

// seen tells what the daemon holds up right now.
func (k *killer) seen() (list []Moment) {
	if k.l.Replacing() {
		list = append(list, Replacing)
	}
	if locks, err := os.ReadFile("/proc/locks"); err == nil && bytes.Contains(locks, []byte("LEASE  BREAKING")) {
		list = append(list, Writing)
	}
	opens, stands := false, false
	for _, p := range k.l.processes() {
		where, _ := os.ReadFile(p + "/wchan")
		opens = opens || bytes.Contains(where, []byte("fanotify"))
		stands = stands || stateOf(p) == 't'
	}
	if opens {
		list = append(list, Opening)
	}
	if stands {
		list = append(list, Standing)
	}
	return list
}

// processes are the callers and those that they have begun, as directories in /proc.
func (l *Load) processes() (list []string) {
	for _, c := range l.cmds {
		p := fmt.Sprintf("/proc/%d", c.Process.Pid)
		list = append(list, p)
		children, _ := os.ReadFile(fmt.Sprintf("%s/task/%d/children", p, c.Process.Pid))
		for pid := range strings.FieldsSeq(string(children)) {
			list = append(list, "/proc/"+pid)
		}
	}
	return list
}
