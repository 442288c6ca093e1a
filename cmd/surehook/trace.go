package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

// traceFlags are the flags of trace.
type traceFlags struct {
	common
	command    string
	pid        int
	count      bool
	bySite     bool
	prove      bool
	bestEffort bool
	duration   time.Duration
	output     string
}

func newTrace(s streams) *cobra.Command {
	f := traceFlags{common: common{lenient: true}}
	cmd := &cobra.Command{
		Use:   "trace HOOK... [-c CMD | -p PID]",
		Short: "Attach at every place and print each execution, or count them",
		Long: "trace attaches a probe at every place where an execution of the hooked functions\n" +
			"begins, all or none, and prints one line an execution until Ctrl-C, until CMD or\n" +
			"PID has ended, or for --duration.\n\n" +
			"-c runs CMD, without a shell, once all probes are in place, and counts it and the\n" +
			"processes that it starts; its exit status is reported, it does not change\n" +
			"surehook's. -p counts one process, without those that it starts. With neither\n" +
			"every process that maps the file counts.",
		Example: "  surehook trace --count --prove uprobe:./prog:add -c './prog 10'\n" +
			"  surehook trace 'uprobe:libc:getaddrinfo' --duration 10s",
		Args: hooks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.command != "" && f.pid != 0 {
				return errors.New("-c and -p exclude each other")
			}
			// An empty variable in a script must not mean "trace everybody".
			if cmd.Flags().Changed("command") && strings.TrimSpace(f.command) == "" {
				return errors.New("-c: empty command")
			}
			if f.pid < 0 || f.pid == 0 && cmd.Flags().Changed("pid") || f.duration < 0 {
				return errors.New("-p and --duration take positive values")
			}
			return f.toOutput(s, func(s streams) error { return f.run(cmd.Context(), s, args) })
		},
	}
	f.register(cmd)
	f.atlas.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.command, "command", "c", "", "run `CMD` and trace until it ends")
	flags.IntVarP(&f.pid, "pid", "p", 0, "count process `PID` only")
	flags.BoolVar(&f.count, "count", false, "print totals at the end instead of each execution")
	flags.BoolVar(&f.bySite, "by-site", false, "print hits by call site at the end")
	flags.BoolVar(&f.prove, "prove", false, "print what the plain probe saw of all executions")
	flags.BoolVar(&f.bestEffort, "best-effort", false, "go on when some places cannot be attached")
	flags.StringVarP(&f.output, "output", "o", "", "write executions and counts to this `FILE`, apart from what CMD prints")
	flags.DurationVar(&f.duration, "duration", 0, "end after this `TIME`, like 10s or 2m")
	return cmd
}

// toOutput runs do with the results going to --output, if it is given.
func (f *traceFlags) toOutput(s streams, do func(streams) error) error {
	s.results = s.out
	if f.output == "" {
		return do(s)
	}
	file, err := os.Create(f.output)
	if err != nil {
		return err
	}
	s.results = file
	return errors.Join(do(s), file.Close())
}

// countsOnly tells that single executions are not asked for.
func (f *traceFlags) countsOnly() bool { return f.count || f.bySite }

// plan resolves the hooks. Each needs a place to attach to; under --best-effort
// one of them does, and those without are told and counted.
func (f *traceFlags) plan(w io.Writer, args []string) (results []sites.Result, missing int, err error) {
	all, err := f.resolveEach(args)
	if err != nil {
		return nil, 0, err
	}
	for i, of := range all {
		results = append(results, of...)
		if slices.ContainsFunc(of, func(r sites.Result) bool { return len(r.Sites) > 0 }) {
			continue
		}
		err := noPlace(args[i], of)
		if !f.bestEffort {
			return nil, 0, err
		}
		if missing++; missing == len(args) {
			return nil, 0, err
		}
		fmt.Fprintf(w, "not attached: %v\n", err)
	}
	return results, missing, nil
}

// noPlace says why there is nothing to attach to.
func noPlace(arg string, of []sites.Result) error {
	why := "no place to attach to"
	if len(of) > 0 && len(of[0].Plan.Reasons) > 0 {
		why += ": " + of[0].Plan.Reasons[0].Text
	}
	return &exitError{exitFindings, fmt.Errorf("%s: %s; surehook check tells more", arg, why)}
}

// summary writes what is said at the end of a trace.
func (f *traceFlags) summary(s streams, format report.Format, session *live.Session) error {
	counts, err := session.Counts()
	if err != nil {
		return err
	}
	strayed, err := session.Strayed()
	if err != nil {
		return err
	}
	if strayed > 0 {
		fmt.Fprintf(s.err, "%s not counted: too many at a time\n", plural(strayed, "child process"))
	}
	opts := report.CountOptions{BySite: f.bySite, Prove: f.prove}
	if f.countsOnly() || f.prove {
		if err := report.Counts(s.results, format, counts, opts); err != nil {
			return err
		}
	}
	if f.countsOnly() {
		return nil
	}
	lost, err := session.Lost()
	if err != nil {
		return err
	}
	total, undecided := uint64(0), uint64(0)
	for _, c := range counts {
		total += c.Executions
		undecided += c.Undecided
	}
	fmt.Fprint(s.err, plural(total, "execution"))
	if undecided > 0 {
		fmt.Fprintf(s.err, ", %d hits undecided", undecided)
	}
	if lost > 0 {
		fmt.Fprintf(s.err, ", %d of them not printed: lost because they came too fast (--count has them all)", lost)
	}
	fmt.Fprintln(s.err)
	return nil
}

func plural[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "s") {
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
