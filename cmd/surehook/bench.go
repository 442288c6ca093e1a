package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/bench"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/internal/pricelist"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

// benchFlags are the flags of bench.
type benchFlags struct {
	common
	hook     string
	command  string
	kinds    []string
	works    []string
	rounds   int
	batch    time.Duration
	patience time.Duration
	cpu      int
	seed     uint64
	dir      string
	chart    string
}

func newBench(s streams) *cobra.Command {
	f := benchFlags{common: common{lenient: true}}
	cmd := &cobra.Command{
		Use:   "bench [--hook HOOK -c CMD]",
		Short: "Measure what each kind of hookpoint costs on this machine",
		Long: "bench measures how much longer a call takes under each kind of hookpoint that this\n" +
			"kernel has, with the way into the program and back. A process that does nothing else\n" +
			"calls one function or system call on one CPU, traced and alone in turns.\n\n" +
			"With --hook it measures yours: CMD runs without the probe and with it in turns, and\n" +
			"the processor time that it takes more is divided by the hits of one run.\n\n" +
			"A few minutes on a machine that has nothing else to do give the best figures.",
		Example: "  surehook bench --work empty --chart cost.svg\n" +
			"  surehook bench --hook kprobe:vfs_read -c 'cat /usr/bin/bash'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			format, err := f.parseFormat()
			if err != nil {
				return err
			}
			opts, err := f.options(cmd)
			if err != nil {
				return err
			}
			if file, ok := s.err.(*os.File); ok && isTerminal(file) {
				opts.Progress = func(done, total int) { progress(file, done, total) }
			}
			// The program that is measured is removed, however this ends.
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			measured, err := f.run(ctx, s, opts)
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			if err != nil {
				return err
			}
			return f.write(s.out, format, measured)
		},
	}
	f.register(cmd)
	f.atlas.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.hook, "hook", "", "measure this `HOOK` in the command of -c")
	flags.StringVarP(&f.command, "command", "c", "", "run `CMD`, without a shell, with the probe and without")
	flags.StringSliceVar(&f.kinds, "kind", nil, "measure these `KINDS` only, names or their beginnings (may be repeated)")
	flags.StringSliceVar(&f.works, "work", nil, "measure these `PROGRAMS` only: empty, simple, complex (default: all; with --hook simple)")
	flags.IntVar(&f.rounds, "rounds", bench.DefaultRounds, "attach and measure each `N` times")
	flags.DurationVar(&f.batch, "batch", time.Millisecond, "this much `TIME` is measured at once")
	flags.DurationVar(&f.patience, "patience", time.Minute, "wait this much `TIME`, in all, for a processor that others slow down")
	flags.IntVar(&f.cpu, "cpu", 0, "measure on CPU `N` (default: the last one)")
	flags.Uint64Var(&f.seed, "seed", 1, "of the order in which is measured")
	flags.StringVar(&f.dir, "dir", "", "run the program that is measured from this `DIR` (default: the one for temporary files)")
	flags.StringVar(&f.chart, "chart", "", "also draw a chart into this `FILE`, .svg or .html")
	return cmd
}

func progress(w io.Writer, done, total int) {
	fmt.Fprintf(w, "\r%d of %d measurements", done, total)
	if done == total {
		fmt.Fprint(w, "\r\033[K")
	}
}

// options checks the flags.
func (f *benchFlags) options(cmd *cobra.Command) (bench.Options, error) {
	opts := bench.Options{Rounds: f.rounds, Batch: f.batch, Seed: f.seed, Dir: f.dir, Patience: f.patience}
	if f.patience == 0 {
		opts.Patience = -1 // not the default
	}
	switch {
	case f.rounds < 1 || f.batch <= 0:
		return opts, errors.New("--rounds and --batch take positive values")
	case (f.hook == "") != (strings.TrimSpace(f.command) == ""):
		return opts, errors.New("--hook and -c belong together: the hook, and a command that hits it")
	case f.hook != "" && len(f.kinds) > 0:
		return opts, errors.New("--kind is of no use with --hook: all kinds that the hook can have are measured")
	case f.chart != "" && charts()[filepath.Ext(f.chart)] == nil:
		return opts, fmt.Errorf("--chart: %s is neither .svg nor .html", f.chart)
	}
	if cmd.Flags().Changed("cpu") {
		opts.CPU = &f.cpu
	}
	for _, w := range f.works {
		opts.Works = append(opts.Works, bench.Work(w))
	}
	for _, name := range f.kinds {
		found := false
		for _, k := range bench.Kinds() {
			if strings.HasPrefix(k.Name, name) {
				opts.Kinds, found = append(opts.Kinds, k.Name), true
			}
		}
		if !found {
			return opts, fmt.Errorf("--kind: no hookpoint is called %q", name)
		}
	}
	return opts, nil
}

// run measures all kinds, or the hook.
func (f *benchFlags) run(ctx context.Context, s streams, opts bench.Options) (*bench.Report, error) {
	if f.hook == "" {
		return bench.Run(ctx, opts)
	}
	words, err := live.Split(f.command)
	if err != nil {
		return nil, err
	}
	results, err := f.resolve([]string{f.hook})
	if err != nil {
		return nil, err
	}
	hits, err := hitsOf(results, words, s.err)
	if err != nil {
		return nil, err
	}
	plans := tally.New(results, tally.Options{NoPlain: true}).Plans()
	return bench.RunWorkload(ctx, bench.Workload{Hook: f.hook, Command: words, Hits: hits}, plans, opts)
}

// hitsOf counts the executions in one run of a command and of what it starts.
func hitsOf(results []sites.Result, words []string, errs io.Writer) (hits uint64, err error) {
	command, err := live.Start(words, live.Streams{Err: errs})
	if err != nil {
		return 0, err
	}
	defer command.Cancel()
	session, err := live.Open(results, live.Options{PID: command.PID(), Children: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := command.Release(); err != nil {
		return 0, err
	}
	<-command.Done()
	if command.Status() != "" {
		return 0, fmt.Errorf("%s %s", words[0], command.Status())
	}
	counts, err := session.Counts()
	if err != nil {
		return 0, err
	}
	for _, c := range counts {
		hits += c.Executions
	}
	return hits, nil
}

// write writes the report, and the chart if one is wanted.
func (f *benchFlags) write(w io.Writer, format report.Format, r *bench.Report) error {
	if f.chart != "" {
		var chart bytes.Buffer
		if err := charts()[filepath.Ext(f.chart)](&chart, r); err != nil {
			return err
		}
		if err := os.WriteFile(f.chart, chart.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if format == report.JSON {
		return pricelist.JSON(w, r)
	}
	return pricelist.Text(w, r)
}

// charts are the forms of a chart by the ending of its file.
func charts() map[string]func(io.Writer, *bench.Report) error {
	return map[string]func(io.Writer, *bench.Report) error{".svg": pricelist.SVG, ".html": pricelist.HTML}
}
