package attach

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/bpf"
)

// maxProbes bounds all probes of a Session: the kernel's own limit of one
// uprobe_multi link (MAX_UPROBE_MULTI_CNT), 16 MiB of counters a CPU.
const maxProbes = 1 << 20

// breakpoint is one consumer of a uprobe: the probes that share an address.
type breakpoint struct {
	symbol  string // of the kernel; empty for files
	address uint64 // of the symbol, where its name does not tell
	offset  uint64 // file offset, or from symbol
	ret     bool
	ways    Ways
	first   uint32 // index of its first probe in layout.slots
	count   uint32
	room    uint32 // number of the session's first entry in the program's maps
}

func (b breakpoint) cookie() uint64 { return bpf.Cookie(b.room+b.first, b.count) }

// slot is where a probe came from.
type slot struct{ plan, probe int }

// layout is the plans as the BPF program sees them: probes numbered so that
// those of one breakpoint are neighbours.
type layout struct {
	slots   []slot
	entries []bpf.Entry
	breaks  [][]breakpoint // by plan, by offset
	reads   bool           // a condition reads the process's memory
}

func arrange(plans []Plan, maxGroup int) (*layout, error) {
	l := &layout{breaks: make([][]breakpoint, len(plans))}
	for i, p := range plans {
		if (p.Path == "") != (plans[0].Path == "") {
			return nil, fmt.Errorf("%w: probes of the kernel and of files in one session", ErrInvalid)
		}
		if len(l.slots)+len(p.Probes) > maxProbes {
			return nil, fmt.Errorf("%w: more than %d probes; use a narrower pattern", ErrInvalid, maxProbes)
		}
		if err := l.add(i, p, maxGroup); err != nil {
			return nil, err
		}
	}
	if len(l.slots) == 0 {
		return nil, fmt.Errorf("%w: no probes", ErrInvalid)
	}
	return l, nil
}

func (l *layout) add(plan int, p Plan, maxGroup int) error {
	order := make([]int, len(p.Probes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return comparePlace(p.Probes[a], p.Probes[b]) })
	if err := checkProbes(p, order); err != nil {
		return err
	}
	for i, probe := range order {
		q := p.Probes[probe]
		breaks := l.breaks[plan]
		last := len(breaks) - 1
		if i == 0 || comparePlace(p.Probes[order[i-1]], q) != 0 || int(breaks[last].count) == maxGroup {
			l.breaks[plan] = append(breaks, breakpoint{q.Symbol, q.Address, q.Offset, q.Return, q.Ways, uint32(len(l.slots)), 1, 0})
		} else {
			breaks[last].count++
		}
		l.slots = append(l.slots, slot{plan, probe})
		l.entries = append(l.entries, bpf.Encode(q.Cond))
		l.reads = l.reads || q.Cond.Op == flow.MemTarget
	}
	return nil
}

func comparePlace(a, b Probe) int {
	c := cmp.Or(strings.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Offset, b.Offset))
	if c != 0 {
		return c
	}
	switch {
	case a.Return == b.Return:
		return slices.Compare(a.Ways[:], b.Ways[:])
	case b.Return:
		return -1
	}
	return 1
}

// checkProbes wants p.Probes different from each other (order sorts them by
// place) and possible.
func checkProbes(p Plan, order []int) error {
	seen := map[flow.Cond]bool{}
	for i, probe := range order {
		q := p.Probes[probe]
		if q.Return && q.Cond != (flow.Cond{}) {
			return fmt.Errorf("%w: %s: the return probe at file offset %#x has a condition; the registers it is about are gone at the return",
				ErrInvalid, p.Path, q.Offset)
		}
		if i == 0 || comparePlace(p.Probes[order[i-1]], q) != 0 {
			clear(seen)
		}
		if (q.Symbol == "") != (p.Path != "") {
			return fmt.Errorf("%w: %s: a probe of the kernel has a symbol, one of a file has none", ErrInvalid, p.Path)
		}
		if q.Cond != (flow.Cond{}) && q.Ways.event() {
			return fmt.Errorf("%w: %s: a condition needs a breakpoint, which has registers", ErrInvalid, q.Symbol)
		}
		if seen[q.Cond] {
			return fmt.Errorf("%w: %s%s: two equal probes at offset %#x", ErrInvalid, p.Path, q.Symbol, q.Offset)
		}
		seen[q.Cond] = true
	}
	return nil
}
