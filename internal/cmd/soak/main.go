//go:build linux && (amd64 || arm64)

// Command soak replaces a library under load, counts its executions with
// package supervise, and compares with what the callers have written down.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

func main() {
	n := flag.Int("n", 100, "how often the library is replaced")
	gap := flag.Bool("gap", false, "watch by inotify alone")
	ways := flag.String("way", "", "only these ways, with commas")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the choice")
	pause := flag.Duration("pause", 50*time.Millisecond, "between replacements")
	verbose := flag.Bool("v", false, "print events")
	flag.Parse()
	dir, err := os.MkdirTemp("", "surehook-soak")
	if err == nil {
		defer os.RemoveAll(dir)
		err = run(dir, *n, *gap, *ways, *seed, *pause, *verbose)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(dir string, n int, gap bool, ways string, seed uint64, pause time.Duration, verbose bool) error {
	o := soak.Options{Dir: dir, N: n, Seed: seed, Pause: pause}
	for w := range strings.SplitSeq(ways, ",") {
		if w != "" {
			o.Ways = append(o.Ways, soak.Way(w))
		}
	}
	var s *soak.Supervised
	var st supervise.State
	o.Count = func(path string) (soak.Counter, error) {
		opts := supervise.Options{NoGap: !gap}
		if verbose {
			opts.Notify = func(e supervise.Event) { fmt.Fprintln(os.Stderr, e.At().Format("05.000000"), e) }
		}
		var err error
		s, err = soak.NewSupervised(path, opts)
		return counting{s, &st}, err
	}
	out, err := soak.Run(o)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d: %d replacements in %v: %v\n", seed, n, out.Took.Round(time.Millisecond), out.Replaced)
	fmt.Printf("called %v, counted %v\n", out.Truth, out.Counted)
	fmt.Printf("lost %d of %d; wrong %d, failed %d, crashed %d of %d processes\n",
		out.Lost(), out.Called(), out.Wrong, out.Failed, out.Crashed, out.Processes)
	slices.Sort(st.Latencies)
	if l := st.Latencies; len(l) > 0 {
		fmt.Printf("attached after: p50 %v, p99 %v, max %v of %d\n", l[len(l)/2], l[len(l)*99/100], l[len(l)-1], len(l))
	}
	fmt.Printf("%d gaps, %v; %d opens held\n", st.Gaps, st.GapTime, st.Held)
	for _, e := range s.Events() {
		switch e.(type) {
		case supervise.Finding, supervise.Verdict, supervise.Gap:
			fmt.Println(e)
		}
	}
	return nil
}

// counting keeps the state at the end.
type counting struct {
	*soak.Supervised
	st *supervise.State
}

func (c counting) Close() error {
	var err error
	if *c.st, err = c.S.State(); err != nil {
		return err
	}
	return c.Supervised.Close()
}
