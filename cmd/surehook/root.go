package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/report"
)

// streams are what the program reads and writes, so that tests can look.
type streams struct {
	in       io.Reader
	out, err io.Writer
	results  io.Writer // of trace: out, or the file of --output
}

// run is the whole program without os.Exit.
func run(args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.Execute()
	if text := complaint(err); text != "" {
		fmt.Fprintf(s.err, "surehook: %s\n", report.Visible(text))
	}
	return exitCode(err)
}

// complaint is what is said about an error, "" if all has been said.
func complaint(err error) string {
	coded, probe := (*exitError)(nil), (*attach.ProbeError)(nil)
	switch {
	case err == nil, errors.As(err, &coded) && coded.err == nil:
		return ""
	case errors.Is(err, attach.ErrNotPermitted) && !errors.As(err, &probe): // else the rest was permitted
		return attach.ErrNotPermitted.Error() // how the kernel put it helps nobody
	}
	return strings.ReplaceAll(strings.TrimSuffix(err.Error(), "\n"), "\n", "; ")
}

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "surehook",
		Short: "Probes that fire at every execution, and proof of it",
		Long: "surehook finds every place where an execution of a function begins: its body, the\n" +
			"compiler's clones and the inlined copies. It says what a plain probe misses, and\n" +
			"traces all of it.\n\n" +
			"A HOOK is written as for bpftrace or libbpf: uprobe:./bin:function,\n" +
			"uretprobe:libc:malloc, uprobe:./bin:ns::f, uprobe:./bin:f+0x10, uprobe:./bin:*.\n\n" +
			"Exit status: 0 done; 1 findings at or above --fail-on, or a trace that failed;\n" +
			"2 usage or unreadable input; 3 not permitted to attach.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version(), // makes --version a flag
	}
	root.SetVersionTemplate(versionLine())
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(
		newSites(s),
		newCheck(s),
		newTrace(s),
		newWatch(s),
		newAudit(s),
		newExplain(s),
		newKernel(s),
		newMisses(s),
		newDemo(s),
		newBench(s),
		newVersion(s),
	)
	return root
}

// hooks wants at least one hook.
func hooks(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no hook given; for example: %s uprobe:./bin:function", cmd.CommandPath())
	}
	return nil
}

// common are the flags of the subcommands that read binaries.
type common struct {
	format    string
	debugDirs []string
	noCache   bool
	fetch     bool      // from debuginfod servers
	progress  io.Writer // of downloads, and for trouble with the cache

	atlas  atlasFlags
	kernel string // of kernel hooks; empty: the running one
	// lenient: what is wrong with files that only tell more is said and passed over.
	lenient bool
	dir     string            // of relative names in hooks; empty: the working directory
	instead map[string]string // files to be read in place of those that hooks name
}

func (c *common) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.format, "format", "text", "text, or json: one object a line (docs/json.md)")
	cmd.Flags().BoolVar(&c.noCache, "no-cache", false, "neither use nor keep indexes of large files (~/.cache/surehook)")
	cmd.Flags().StringArrayVar(&c.debugDirs, "debug-dir", nil, "also look for debug files in this `DIR` (may be repeated)")
	cmd.Flags().BoolVar(&c.fetch, "debuginfod", false, "download debug files that are missing from the servers in DEBUGINFOD_URLS")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		c.progress = cmd.ErrOrStderr()
		return c.checkServers()
	}
}

// analyzer looks things up on this machine.
func (c *common) analyzer() *target.Analyzer {
	return target.NewAnalyzer(target.Options{
		Root: os.DirFS("/"), Path: os.Getenv("PATH"), DebugDirs: absolute(c.debugDirs),
		Fetch: c.fetcher(), Cache: indexes(c.noCache, c.progress),
		Dir: c.dir, Instead: c.instead,
	})
}

func (c *common) parseFormat() (report.Format, error) { return report.ParseFormat(c.format) }
