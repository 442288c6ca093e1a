package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/misses"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/running"
)

// missesFlags are the flags of misses.
type missesFlags struct {
	format   string
	selfTest bool
	noCache  bool
	watching bool
	explain  bool
	atlas    atlasFlags
	interval time.Duration
}

func newMisses(s streams) *cobra.Command {
	var f missesFlags
	cmd := &cobra.Command{
		Use:   "misses",
		Short: "Show what the kernel skipped of every BPF tracing program, and what it does not count",
		Long: "misses lists every loaded BPF program that traces with the executions that the\n" +
			"kernel skipped: before the program (the link's counter) and at the program\n" +
			"(recursion_misses). Which of these this kernel counts is found out by a self-test,\n" +
			"once a boot: probes are made to nest for a second. What the kernel skips without\n" +
			"counting is \"not observable\", never 0.",
		Example: "  sudo surehook misses\n  sudo surehook misses --watch\n  sudo surehook misses demo\n  sudo surehook misses --self-test\n  sudo surehook misses --interval 5s --format json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), s) },
	}
	cmd.AddCommand(&cobra.Command{
		Use: "demo", Short: "Show missed executions live, and the hook that misses none, side by side", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a, err := f.abilities(s)
			if err != nil {
				return err
			}
			return misses.Demo(s.out, a)
		},
	})
	cmd.Flags().StringVar(&f.format, "format", "text", "text, or json: one object a line (docs/json.md)")
	cmd.Flags().BoolVar(&f.selfTest, "self-test", false, "show what the self-test found on this kernel")
	cmd.Flags().BoolVar(&f.explain, "why", false, "also say what may cause the misses, from what is attached now, and the way out")
	f.atlas.register(cmd)
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "make the self-test again (it is kept in ~/.cache/surehook)")
	cmd.Flags().BoolVar(&f.watching, "watch", false, "go on until q or Ctrl-C; on a terminal with keys to sort and filter")
	cmd.Flags().DurationVar(&f.interval, "interval", 0, "take two samples this `TIME` apart and show misses per second; with --watch one each TIME (default 1s)")
	return cmd
}

func (f *missesFlags) run(ctx context.Context, s streams) error {
	format, err := report.ParseFormat(f.format)
	if err != nil {
		return err
	}
	if f.interval < 0 {
		return errors.New("--interval takes a positive value")
	}
	a, err := f.abilities(s)
	if err != nil {
		return err
	}
	switch {
	case f.selfTest && format == report.JSON:
		return misses.WriteTestJSON(s.out, a)
	case f.selfTest:
		return misses.WriteTest(s.out, a)
	}
	sampler := misses.NewSampler(a)
	if f.watching {
		f.interval = cmp.Or(f.interval, time.Second)
		return f.watch(ctx, s, format, sampler)
	}
	sample, rates, err := f.sample(sampler)
	if err != nil {
		return err
	}
	for _, u := range sampler.Unread() {
		fmt.Fprintf(s.err, "not looked at: %s: %s\n", report.Visible(u.What), report.Visible(u.Reason))
	}
	var reasons []misses.Reason
	if f.explain {
		if reasons, err = f.why(s, sampler.Inventory(), sample.Programs); err != nil {
			return err
		}
	}
	if format == report.JSON {
		return misses.WriteJSON(s.out, sample, rates, reasons)
	}
	if err := misses.WriteText(s.out, sample, rates); err != nil {
		return err
	}
	return misses.WriteReasons(s.out, sample, reasons)
}

// sample takes one sample, or two with the interval between them.
func (f *missesFlags) sample(from *misses.Sampler) (*misses.Sample, map[uint32]misses.Rate, error) {
	first, err := from.Read()
	if err != nil || f.interval == 0 {
		return first, nil, err
	}
	time.Sleep(f.interval)
	second, err := from.Read()
	if err != nil {
		return nil, nil, err
	}
	return second, misses.Rates(first, second), nil
}

// abilities gives the self-test of this boot.
func (f *missesFlags) abilities(s streams) (*misses.Abilities, error) {
	dir := ""
	if cache, err := os.UserCacheDir(); err == nil && !f.noCache {
		dir = filepath.Join(cache, "surehook")
	}
	a, warn, err := misses.Tested(dir)
	if warn != nil {
		fmt.Fprintf(s.err, "the self-test is not kept: %v\n", warn)
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, running.ErrNotPermitted
	}
	return a, err
}
