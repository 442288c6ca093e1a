// Command benchtruth runs surehook bench five times, measures some of its
// figures in another way, and writes docs/bench.md and docs/bench.svg. For the
// figures it needs a machine that does nothing else.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/surehook/surehook/bench"
	"github.com/surehook/surehook/internal/benchtruth"
	"github.com/surehook/surehook/internal/pricelist"
	"github.com/surehook/surehook/internal/vmtest"
)

type options struct {
	out, chart string
	runs       int
	rounds     int
	machines   bool
}

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "put the results into this `FILE`; default: standard output")
	flag.StringVar(&o.chart, "chart", "", "draw the first run into this `FILE`")
	flag.IntVar(&o.runs, "runs", 5, "runs in a row")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds of a run; 0: the default")
	flag.BoolVar(&o.machines, "vm", true, "also the order on kernels in virtual machines")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchtruth:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	runs, checks, err := measure(ctx, o)
	if err != nil {
		return err
	}
	if o.chart != "" {
		var chart bytes.Buffer
		if err := pricelist.SVG(&chart, runs[0]); err != nil {
			return err
		}
		if err := os.WriteFile(o.chart, chart.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if err := write(o.out, benchtruth.Render(runs, checks, nil)); err != nil || !o.machines {
		return err
	}
	orders, err := machines(ctx)
	if err != nil {
		return err
	}
	return write(o.out, benchtruth.Render(runs, checks, orders))
}

// patience is how long a run may wait for a processor that others slow down.
const patience = 4 * time.Minute

// measure makes the runs, and after them the same with the independent
// measurement in turns.
func measure(ctx context.Context, o options) (runs []*bench.Report, checks []benchtruth.Check, err error) {
	for n := range o.runs {
		r, err := bench.Run(ctx, bench.Options{Seed: uint64(n + 1), Rounds: o.rounds, Patience: patience})
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, r)
		fmt.Fprintf(os.Stderr, "run %d of %d\n", n+1, o.runs)
	}
	other, err := benchtruth.NewIndependent(ctx, runs[0].CPU)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	for _, s := range benchtruth.Subjects() {
		checks = append(checks, benchtruth.Check{Subject: s})
	}
	for n := range turns {
		for i := range checks {
			if err := turn(ctx, &checks[i], uint64(n), other); err != nil {
				return nil, nil, err
			}
		}
		fmt.Fprintf(os.Stderr, "turn %d of %d\n", n+1, turns)
	}
	return runs, checks, nil
}

// turns is how often each subject is measured in both ways, turned how many
// rounds of ours are one.
const (
	turns  = 9
	turned = 3
)

// turn measures one subject in both ways.
func turn(ctx context.Context, c *benchtruth.Check, seed uint64, other *benchtruth.Independent) error {
	if c.Err != nil {
		return nil
	}
	r, err := bench.Run(ctx, bench.Options{Kinds: []string{c.Subject.Kind}, Works: []bench.Work{bench.Empty}, Rounds: turned, Seed: seed})
	if err != nil {
		return err
	}
	f := r.Figures[0]
	if f.Unavailable != "" {
		c.Err = errors.New(f.Unavailable)
		return nil
	}
	theirs, err := other.Cost(ctx, c.Subject)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.Err = err
		return nil
	}
	c.Ours, c.Theirs = append(c.Ours, f.Cost.Median), append(c.Theirs, theirs.NS)
	if theirs.Slow || r.Noise.Slow > 0 {
		c.Slow++
	}
	return nil
}

// machines gives the order on all kernels.
func machines(ctx context.Context) ([]benchtruth.Order, error) {
	tmp, err := os.MkdirTemp("", "benchtruth-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	var orders []benchtruth.Order
	for _, k := range vmtest.Kernels() {
		program := filepath.Join(tmp, k.Arch)
		if _, err := os.Stat(program); err != nil {
			if err := vmtest.Build(ctx, k.Arch, "github.com/surehook/surehook/cmd/surehook", program); err != nil {
				return nil, err
			}
		}
		orders = append(orders, benchtruth.OrderOn(ctx, k, program))
		fmt.Fprintf(os.Stderr, "%s: %s\n", k.Name(), orders[len(orders)-1].Text())
	}
	return orders, nil
}

// write replaces the generated part of a page.
func write(out, text string) error {
	if out == "" {
		_, err := fmt.Print(text)
		return err
	}
	page, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	fresh, err := benchtruth.Replace(string(page), text)
	if err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	return os.WriteFile(out, []byte(fresh), 0o644)
}
