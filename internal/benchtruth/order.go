package benchtruth

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/bench"
	"github.com/surehook/surehook/internal/vmtest"
)

// Order is how a kernel ranks kinds.
type Order struct {
	Kernel  string
	Figures []bench.Figure // of the empty program
	Err     string         // why there is none
}

// Text writes the kinds from the cheapest.
func (o Order) Text() string {
	if o.Err != "" {
		return o.Err
	}
	list := slices.DeleteFunc(slices.Clone(o.Figures), func(f bench.Figure) bool { return f.Rank == 0 })
	slices.SortStableFunc(list, func(a, b bench.Figure) int { return cmp.Compare(a.Rank, b.Rank) })
	var text strings.Builder
	for i, f := range list {
		switch {
		case i == 0:
		case f.Rank == list[i-1].Rank:
			text.WriteString(" = ")
		default:
			text.WriteString(" < ")
		}
		text.WriteString(f.Kind)
	}
	return text.String()
}

// Published says whether the published order holds: tp_btf, which is what the
// published table calls a tracepoint, below fentry below kprobe.
func (o Order) Published() string {
	rank := map[string]int{}
	for _, f := range o.Figures {
		rank[f.Kind] = f.Rank
	}
	last, tied := 0, false
	for _, p := range bench.Published() {
		if p.Work != bench.Empty {
			continue
		}
		switch at := rank[p.Kind]; {
		case at == 0:
			return p.Kind + " is not available"
		case at < last:
			return "no"
		case at == last:
			tied = true
			last = at
		default:
			last = at
		}
	}
	if tied {
		return "not contradicted: not all are told apart"
	}
	return "yes"
}

// machineRounds are those of a run in a machine, which is slow.
const machineRounds = "9"

// machineSeconds bounds it.
const machineSeconds = 900

// OrderOn runs surehook bench, whose program for the kernel's architecture is
// the file given, on a kernel in a virtual machine.
func OrderOn(ctx context.Context, k vmtest.Kernel, program string) Order {
	o := Order{Kernel: k.Name()}
	args := []string{"/bin/surehook", "bench", "--format", "json", "--work", "empty", "--rounds", machineRounds}
	for _, kind := range bench.Kinds() {
		if !kind.User {
			args = append(args, "--kind", kind.Name)
		}
	}
	out, err := k.Run(ctx, vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/surehook", From: program}},
		Steps: []vmtest.Step{{Args: args, Seconds: machineSeconds}},
	})
	if err != nil {
		o.Err = err.Error()
		return o
	}
	var r bench.Report
	if err := json.Unmarshal(out.Steps[0].Stdout, &r); err != nil {
		o.Err = fmt.Sprintf("exit %d %s: %s", out.Steps[0].Exit, out.Steps[0].Error, out.Steps[0].Stderr)
		return o
	}
	o.Kernel, o.Figures = k.Name()+" ("+out.Kernel+")", r.Figures
	return o
}
