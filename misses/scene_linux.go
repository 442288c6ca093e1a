//go:build amd64 || arm64

package misses

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/surehook/surehook/hook"
	nest "github.com/surehook/surehook/internal/nesting"
	"github.com/surehook/surehook/internal/unix"
)

// notShown is why there is nothing to see of a scene.
type notShown struct {
	what  string
	why   string
	hooks bool // it is not for want of hooks
}

func (e *notShown) Error() string { return e.what + ": " + e.why }

func refused(h hook.Hook, err error) error {
	return &notShown{what: h.String(), why: nest.Reason(err)}
}

// play makes the scene; what cannot be shown is a notShown.
func (x *scene) play(calls int) (nest.Outcome, error) {
	t := nest.Trial{Outer: x.outer, Inner: []hook.Hook{x.inner, x.instead}, Calls: calls}
	switch x.does {
	case helpers:
		t.Action = nest.Print | nest.Update
	case spins:
		t.Action = nest.Spin
	case signals:
		t.Action = nest.Signal
	}
	if x.lock != "" {
		if err := x.crowd(&t); err != nil {
			return nest.Outcome{}, err
		}
	}
	out, err := nest.Run(t)
	var outer *nest.AttachError
	if errors.As(err, &outer) {
		return out, refused(x.outer, outer.Err)
	}
	if err != nil {
		return out, err
	}
	for _, p := range out.Inner {
		if p.Err != nil {
			return out, refused(p.Hook, p.Err)
		}
	}
	if x.lock != "" && out.Inner[1].Ran == 0 {
		return out, &notShown{what: x.lock, hooks: true, why: fmt.Sprintf("on %d processors nobody passed the event in %d executions; locks that spin pass it "+
			"only when a third processor waits, or in guests that wait with the hypervisor's help", t.Threads, out.Outer.Ran)}
	}
	return out, nil
}

// The processors that contend for a lock, at most, and what is enough to see.
const (
	crowd  = 4
	enough = 100
)

// crowd has several threads do the work, until enough was seen.
func (x *scene) crowd(t *nest.Trial) error {
	cpus, err := unix.CPUs()
	if err != nil {
		return err
	}
	if len(cpus) < 2 {
		return &notShown{what: x.lock, hooks: true, why: "this process may run on one processor only, where nobody waits for a lock in the middle of a program"}
	}
	if x.symbol != "" {
		there, err := hasSymbol("/proc/kallsyms", x.symbol)
		if err != nil {
			return err
		}
		if !there {
			return &notShown{what: x.lock, hooks: true, why: "/proc/kallsyms has no " + x.symbol}
		}
	}
	t.Action &^= nest.Update // which takes locks of its own
	t.Threads, t.Enough = min(len(cpus), crowd), enough
	return nil
}

// hasSymbol tells whether the kernel's list of symbols has one.
func hasSymbol(list, name string) (bool, error) {
	f, err := os.Open(list)
	if err != nil {
		return false, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if part := strings.Fields(lines.Text()); len(part) >= 3 && part[2] == name {
			return true, nil
		}
	}
	return false, lines.Err()
}
