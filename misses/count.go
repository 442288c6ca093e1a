package misses

import (
	"strconv"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Count is a number of missed executions, as far as it can be had.
type Count struct {
	N     uint64 `json:"n"` // at least so many; meaningful if Known is Exact or AtLeast
	Known Known  `json:"known"`
	Why   string `json:"why,omitempty"` // it is not exact
}

// Known is what a Count is worth.
type Known string

// What a count can be worth.
const (
	Exact         Known = "exact"          // the self-test saw every miss counted
	AtLeast       Known = "at-least"       // some misses are counted, others are not
	NotObservable Known = "not-observable" // this kernel skips hooks of the kind and counts none of it
	NotKnown      Known = "not-known"      // the self-test could not tell
)

// String gives the number, with ≥ before it if there may be more.
func (c Count) String() string {
	switch c.Known {
	case Exact:
		return strconv.FormatUint(c.N, 10)
	case AtLeast:
		return "≥" + strconv.FormatUint(c.N, 10)
	case NotObservable:
		return "not observable"
	}
	return "not known"
}

// judge says what the sum of a kind's counters is worth.
func (a *Abilities) judge(kind hook.Kind, n uint64) Count {
	switch kind {
	case hook.Uprobe, hook.Uretprobe:
		return lowest(n, NotObservable, "no kernel counts misses of uprobes: uretprobes more than 64 calls deep, and places that could not be patched, are dropped silently")
	case "":
		return lowest(n, NotKnown, "it is not known where the program is attached")
	}
	b, ok := a.Find(kind)
	switch {
	case !ok:
		return lowest(n, NotKnown, "the self-test has no hooks of this kind")
	case b.Reason != "":
		return lowest(n, NotKnown, "cannot attach here: "+b.Reason)
	case b.Skipped() == kernel.NotKnown:
		return lowest(n, NotKnown, "the self-test could not make it nest")
	}
	gaps := b.Gaps()
	switch {
	case len(gaps) == 0:
		return Count{N: n, Known: Exact}
	case b.ByProgram() != kernel.Yes && b.ByLink() != kernel.Yes:
		return lowest(n, NotObservable, gapText(gaps))
	}
	return Count{N: n, Known: AtLeast, Why: gapText(gaps)}
}

// lowest is a count of which only n is known: if the kernel has counted any,
// that many are certain.
func lowest(n uint64, known Known, why string) Count {
	if n > 0 {
		return Count{N: n, Known: AtLeast, Why: why}
	}
	return Count{Known: known, Why: why}
}

// add gives the sum of two counts, worth what the lesser is worth.
func add(a, b Count) Count {
	sum := Count{N: a.N + b.N, Known: a.Known, Why: a.Why}
	if a.Known == Exact {
		sum.Known, sum.Why = b.Known, b.Why
	}
	if sum.N > 0 && sum.Known != Exact {
		sum.Known = AtLeast
	}
	return sum
}
