package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/bench"
	"github.com/surehook/surehook/internal/pricelist"
	"github.com/surehook/surehook/report"
)

// benchFlags are the flags of bench.
type benchFlags struct {
	kinds  []string
	works  []string
	rounds int
	batch  time.Duration
	cpu    int
	seed   uint64
	dir    string
	format string
	chart  string
}

func newBench(s streams) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what each kind of hookpoint costs on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			format, err := report.ParseFormat(f.format)
			if err != nil {
				return err
			}
			opts, err := f.options(cmd.Flags().Changed("cpu"))
			if err != nil {
				return err
			}
			if file, ok := s.err.(*os.File); ok && isTerminal(file) {
				opts.Progress = func(done, total int) {
					fmt.Fprintf(file, "\r%d of %d measurements", done, total)
					if done == total {
						fmt.Fprint(file, "\r\033[K")
					}
				}
			}
			measured, err := bench.Run(cmd.Context(), opts)
			if err != nil {
				return err
			}
			return f.write(s.out, format, measured)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.kinds, "kind", nil, "measure these `KINDS` only, names or their beginnings (may be repeated)")
	flags.StringSliceVar(&f.works, "work", nil, "measure these programs only: empty, simple, complex")
	flags.IntVar(&f.rounds, "rounds", bench.DefaultRounds, "attach and measure each this often")
	flags.DurationVar(&f.batch, "batch", time.Millisecond, "time this much at once")
	flags.IntVar(&f.cpu, "cpu", 0, "measure on this CPU (default: the last one)")
	flags.Uint64Var(&f.seed, "seed", 1, "of the order in which is measured")
	flags.StringVar(&f.dir, "dir", "", "run the program that is measured from this `DIR` (default: the one for temporary files)")
	flags.StringVar(&f.format, "format", "text", "text, or json: one object (docs/json.md)")
	flags.StringVar(&f.chart, "chart", "", "also draw a chart into this `FILE`, .svg or .html")
	return cmd
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

func (f *benchFlags) options(cpu bool) (bench.Options, error) {
	opts := bench.Options{Rounds: f.rounds, Batch: f.batch, Seed: f.seed, Dir: f.dir}
	if f.rounds < 1 || f.batch <= 0 {
		return opts, errors.New("--rounds and --batch take positive values")
	}
	if f.chart != "" && charts()[filepath.Ext(f.chart)] == nil {
		return opts, fmt.Errorf("--chart: %s is neither .svg nor .html", f.chart)
	}
	if cpu {
		opts.CPU = &f.cpu
	}
	for _, w := range f.works {
		opts.Works = append(opts.Works, bench.Work(w))
	}
	for _, name := range f.kinds {
		found := false
		for _, k := range bench.Kinds() {
			if k.Name == name || strings.HasPrefix(k.Name, name) {
				opts.Kinds, found = append(opts.Kinds, k.Name), true
			}
		}
		if !found {
			return opts, fmt.Errorf("--kind: no hookpoint is called %q", name)
		}
	}
	return opts, nil
}
