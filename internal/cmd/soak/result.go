//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

// result is one run.
type result struct {
	*soak.Outcome
	flags flags
	s     *soak.Supervised // nil: another tool
	state supervise.State
}

// count begins to count.
func (r *result) count(path string) (soak.Counter, error) {
	switch r.flags.by {
	case "bpftrace":
		return soak.NewBpftrace(path)
	case "naive":
		return soak.NewNaive(path)
	}
	opts := supervise.Options{NoGap: !r.flags.gap}
	if r.flags.verbose {
		opts.Notify = func(e supervise.Event) { fmt.Fprintln(os.Stderr, e.At().Format("05.000000"), e) }
	}
	var err error
	r.s, err = soak.NewSupervised(path, opts)
	return counting{r.s, &r.state}, err
}

// counting keeps the state at the end.
type counting struct {
	*soak.Supervised
	st *supervise.State
}

// Close keeps the state and ends.
func (c counting) Close() error {
	var err error
	if *c.st, err = c.S.State(); err != nil {
		return err
	}
	return c.Supervised.Close()
}

// spans are the gaps that were told.
func (r *result) spans() []soak.Span {
	var list []soak.Span
	for _, e := range r.s.Events() {
		if g, ok := e.(supervise.Gap); ok {
			list = append(list, soak.Span{From: g.From, To: g.At()})
		}
	}
	return list
}

// latency gives a quantile of the time to attach.
func (r *result) latency(q float64) time.Duration {
	l := slices.Sorted(slices.Values(r.state.Latencies))
	if len(l) == 0 {
		return 0
	}
	return l[min(int(q*float64(len(l))), len(l)-1)]
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "seed %d: %d replacements in %v: %v\n", r.flags.seed, r.flags.n, r.Took.Round(time.Millisecond), r.Replaced)
	fmt.Fprintf(w, "called %v, counted %v\n", r.Truth, r.Counted)
	fmt.Fprintf(w, "lost %d of %d; wrong %d, failed %d, crashed %d of %d processes\n",
		r.Lost(), r.Called(), r.Wrong, r.Failed, r.Crashed, r.Processes)
	if r.s == nil {
		return
	}
	fmt.Fprintf(w, "attached after: p50 %v, p99 %v, max %v of %d\n", r.latency(0.5), r.latency(0.99), r.latency(1), len(r.state.Latencies))
	fmt.Fprintf(w, "%d gaps, %v, in which %d calls were made in new builds (%d in all); %d opens held\n", r.state.Gaps, r.state.GapTime, r.Missed(r.spans()), r.In(r.spans()), r.state.Held)
	for _, e := range r.s.Events() {
		switch e.(type) {
		case supervise.Finding, supervise.Verdict:
			fmt.Fprintln(w, e)
		}
	}
}
