// Command accuracy measures how exactly surehook counts executions and writes
// docs/accuracy.md. It exits with 1 when a target is missed (see the report's
// table of targets) or surehook is below perf probe on a row.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/surehook/surehook/internal/accuracy"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	bad, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(2)
	}
	if bad {
		os.Exit(1)
	}
}

// run tells whether the result is one to fail on.
func run(ctx context.Context) (bool, error) {
	programs := flag.String("programs", "", "comma-separated: lua, jq, zstd ... (default all)")
	builds := flag.String("builds", "", "comma-separated, as the report calls them: gcc-O2, clang-O2 ... (default all)")
	archs := flag.String("archs", "", "comma-separated: amd64, arm64 (default both)")
	oracles := flag.String("oracles", "", "comma-separated: unperturbed, marked (default both)")
	out := flag.String("out", "", "file for the report (default: none)")
	raw := flag.String("json", "", "file for the raw results")
	only := flag.String("only", "", "print everything about this function")
	opts := accuracy.Options{Progress: os.Stderr}
	flag.BoolVar(&opts.Heldout, "heldout", false, "measure bzip2, cmark and expat, which nobody tunes to, instead of the others")
	flag.StringVar(&opts.Keep, "keep", "", "directory that gets links to the built binaries")
	flag.StringVar(&opts.Cache, "cache", "", "cache directory (default $XDG_CACHE_HOME/surehook/accuracy or .cache/accuracy)")
	flag.StringVar(&opts.Surehook, "surehook", "", "the command to measure on this machine (default: build ./cmd/surehook; none: truth and peers only)")
	flag.Parse()
	if flag.NArg() > 0 {
		return false, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	opts.Programs, opts.Builds, opts.Oracles = list(*programs), list(*builds), list(*oracles)
	opts.Archs = list(*archs)
	report, err := accuracy.Run(ctx, opts)
	if err != nil {
		return false, err
	}
	if err := write(report, *out, *raw); err != nil {
		return false, err
	}
	if *only != "" {
		if err := report.Only(os.Stdout, *only); err != nil {
			return false, err
		}
	}
	failures := report.Failures()
	for _, f := range failures {
		fmt.Fprintln(os.Stderr, "FAIL", f)
	}
	if len(failures) > 0 {
		fmt.Fprintf(os.Stderr, "%d targets missed in %d rows\n", len(failures), len(report.Rows))
	}
	return len(failures) > 0, nil
}

// list splits at commas.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// write writes the files that were asked for.
func write(report *accuracy.Report, out, raw string) error {
	if out != "" {
		var b bytes.Buffer
		if err := report.Markdown(&b, "go run ./internal/cmd/accuracy "+strings.Join(os.Args[1:], " ")); err != nil {
			return err
		}
		if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if raw == "" {
		return nil
	}
	data, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(raw, data, 0o644)
}
