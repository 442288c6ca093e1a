package misses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/running"
)

// Program is a loaded program and what the kernel did not run it for.
type Program struct {
	ID     uint32
	Name   string
	Type   running.Type
	Hooks  []Hook
	Owners []string // processes that hold it or a link of it: "1234 (name)"
	Runs   Runs
	Attach Count           // skipped before the program, by its links
	Self   running.Counter // skipped at the program: recursion_misses
	Total  Count
}

// Hook is one way a program is attached.
type Hook struct {
	Link   uint32    `json:"link"` // 0: a perf event without one
	Kind   hook.Kind `json:"kind"` // "" where it is not known
	Places []string  `json:"places"`
	Why    string    `json:"why,omitempty"` // the kind or places are not known
}

// Runs is how often a program ran.
type Runs struct {
	N        uint64
	NotKnown string // why it is not known; "" if it is
}

// maxPlaces is how many places of a link are listed; a kprobe.multi link can
// have thousands.
const maxPlaces = 8

// Account says of all programs that trace what they missed. stats tells
// whether the kernel counts runs (kernel.bpf_stats_enabled).
func Account(inv *running.Inventory, a *Abilities, stats bool) []Program {
	at := map[uint32][]running.Attachment{}
	for _, x := range inv.Attachments {
		at[x.Program] = append(at[x.Program], x)
	}
	out := make([]Program, 0, len(inv.Programs))
	for _, p := range inv.Programs {
		row := Program{ID: p.ID, Name: p.Name, Type: p.Type, Self: p.Skipped, Runs: Runs{N: p.Runs}}
		if !stats {
			row.Runs = Runs{NotKnown: "kernel.bpf_stats_enabled is 0"}
		}
		for _, x := range at[p.ID] {
			row.Hooks = append(row.Hooks, hookOf(x))
		}
		row.Owners = owners(p, at[p.ID])
		row.count(a, at[p.ID])
		out = append(out, row)
	}
	return out
}

// count fills in the counters: of the links, and of all.
func (p *Program) count(a *Abilities, at []running.Attachment) {
	p.Attach = Count{Known: Exact}
	for _, x := range at {
		if linked(kindOf(x)) {
			p.Attach = add(p.Attach, a.ofLink(x))
		}
	}
	n := p.Attach.N + p.Self.N
	if len(at) == 0 {
		p.Total = lowest(n, NotKnown, "nothing is known to be attached")
		return
	}
	p.Total = Count{N: n, Known: Exact}
	for _, x := range at {
		c := a.judge(kindOf(x), n)
		if linked(kindOf(x)) {
			c = worse(c, a.ofLink(x), n)
		}
		p.Total = worse(p.Total, c, n)
	}
}

// worse gives that of two judgements of n misses which promises less.
func worse(a, b Count, n uint64) Count {
	order := []Known{Exact, AtLeast, NotObservable, NotKnown}
	w := a
	if slices.Index(order, b.Known) > slices.Index(order, a.Known) {
		w = b
	}
	if w.Known != Exact {
		return lowestOr(n, w)
	}
	w.N = n
	return w
}

func lowestOr(n uint64, c Count) Count {
	if c.Known == AtLeast {
		return Count{N: n, Known: AtLeast, Why: c.Why}
	}
	return lowest(n, c.Known, c.Why)
}

// linked tells whether links of the kind have a number of missed executions.
func linked(kind hook.Kind) bool {
	switch kind {
	case hook.Kprobe, hook.Kretprobe, hook.KprobeMulti, hook.KretprobeMulti:
		return true
	}
	return false
}

// ofLink is what a link says that it missed. It is exact only where the
// self-test saw the number move, or nothing being skipped.
func (a *Abilities) ofLink(x running.Attachment) Count {
	if x.Missed.NotKnown != "" {
		return Count{Known: NotObservable, Why: x.Missed.NotKnown}
	}
	b, ok := a.Find(kindOf(x))
	switch {
	case !ok || b.Reason != "" || b.Skipped() == kernel.NotKnown:
		return lowest(x.Missed.N, NotKnown, "the self-test could not try hooks of this kind: "+b.Reason)
	case b.ByLink() == kernel.No && len(b.Gaps()) > 0:
		return lowest(x.Missed.N, NotObservable, "the number of the link did not move in the self-test")
	}
	return Count{N: x.Missed.N, Known: Exact}
}

// kindOf is the kind of an attachment; "" if it is not known.
func kindOf(x running.Attachment) hook.Kind {
	if len(x.Places) == 0 {
		switch x.Mechanism { // what they are is known, if not where
		case running.KprobeMulti:
			return hook.KprobeMulti
		case running.UprobeMulti:
			return hook.Uprobe
		}
		return ""
	}
	return x.Places[0].Kind
}

func hookOf(x running.Attachment) Hook {
	h := Hook{Link: x.Link, Kind: kindOf(x), Why: x.NotKnown}
	for i, p := range x.Places {
		if i == maxPlaces {
			h.Places = append(h.Places, fmt.Sprintf("and %d more", len(x.Places)-i))
			break
		}
		h.Places = append(h.Places, placeText(p))
	}
	return h
}

// placeText names a place as hooks are spelled.
func placeText(p running.Place) string {
	var b strings.Builder
	b.WriteString(string(p.Kind) + ":")
	switch {
	case p.Kind.User():
		fmt.Fprintf(&b, "%s:%#x", p.File.Path, p.Offset)
		return b.String()
	case p.Name == "":
		fmt.Fprintf(&b, "%#x", p.Address)
		return b.String()
	}
	b.WriteString(p.Name)
	if p.Offset != 0 {
		fmt.Fprintf(&b, "+%#x", p.Offset)
	}
	return b.String()
}

// owners lists the processes behind a program, each once.
func owners(p running.Program, at []running.Attachment) []string {
	var out []string
	add := func(list []running.Owner) {
		for _, o := range list {
			if s := fmt.Sprintf("%d (%s)", o.PID, o.Comm); !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	for _, x := range at {
		add(x.Owners)
	}
	add(p.Holders)
	return out
}
