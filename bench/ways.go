//go:build linux && (amd64 || arm64)

package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/attach"
)

// way is one mechanism for all places of a hook.
type way struct {
	name    string
	mech    mechanism
	targets []target
}

// place says how many places there are.
func (w way) place() string {
	if w.mech == nothing {
		return "no place"
	}
	if len(w.targets) == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", len(w.targets))
}

// ways gives the mechanisms that all probes of plans can be attached by. The
// first has nothing attached, as a check of the method.
func ways(plans []attach.Plan) []way {
	out := []way{{name: nothing.String(), mech: nothing}}
	var all []target
	could := map[attach.Way]int{}
	returns := 0
	for _, plan := range plans {
		for _, p := range plan.Probes {
			t := target{path: plan.Path, symbol: p.Symbol, address: p.Address, offset: p.Offset, ret: p.Return}
			if slices.Contains(all, t) {
				continue // another condition at the same place
			}
			all = append(all, t)
			for _, w := range p.Ways {
				could[w]++
			}
			if p.Ways == (attach.Ways{}) {
				could[attach.ByKprobe]++
			}
			if p.Return {
				returns++
			}
		}
	}
	if len(all) == 0 {
		return out
	}
	every := returns == len(all)
	if plans[0].Path != "" {
		for _, m := range pick(every, []mechanism{uprobe, uprobeMulti}, []mechanism{uretprobe, uretprobeMulti}) {
			out = append(out, way{m.String(), m, all})
		}
		return out
	}
	for _, w := range []attach.Way{attach.ByFentry, attach.ByKprobeMulti, attach.ByKprobe, attach.ByTracepoint, attach.ByRawTracepoint, attach.ByLSM} {
		mixed := returns > 0 && !every // of these mechanisms kprobes alone take both
		if could[w] == len(all) && (!mixed || w == attach.ByKprobe) {
			out = append(out, of(w, every, all)...)
		}
	}
	return out
}

func pick(ret bool, entry, exit []mechanism) []mechanism {
	if ret {
		return exit
	}
	return entry
}

// of gives the mechanisms of one of attach's ways. A tracepoint that is no
// system call's has a raw one of its name.
func of(w attach.Way, ret bool, targets []target) []way {
	mechs := map[attach.Way][]mechanism{
		attach.ByFentry:        pick(ret, []mechanism{fentry}, []mechanism{fexit}),
		attach.ByKprobeMulti:   pick(ret, []mechanism{kprobeMulti}, []mechanism{kretprobeMulti}),
		attach.ByKprobe:        pick(ret, []mechanism{kprobe}, []mechanism{kretprobe}),
		attach.ByTracepoint:    {tracepoint, rawTracepoint, btfTracepoint},
		attach.ByRawTracepoint: {rawTracepoint, btfTracepoint},
		attach.ByLSM:           {lsm},
	}[w]
	var out []way
	for _, m := range mechs {
		own := targets
		if w == attach.ByTracepoint && m != tracepoint {
			if own = raw(targets); own == nil {
				continue
			}
		}
		out = append(out, way{m.String(), m, own})
	}
	return out
}

// raw are the raw tracepoints of events; nil if one has none of its name.
func raw(events []target) []target {
	var out []target
	for _, e := range events {
		system, name, _ := strings.Cut(e.symbol, ":")
		if system == "syscalls" {
			return nil
		}
		out = append(out, target{symbol: name})
	}
	return out
}
