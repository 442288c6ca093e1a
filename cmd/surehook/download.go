package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/surehook/surehook/debuginfod"
	"github.com/surehook/surehook/elfbin"
)

// checkServers refuses --debuginfod where nobody can be asked.
func (c *common) checkServers() error {
	if c.fetch && len(debuginfod.FromEnv(os.Getenv).URLs) == 0 {
		return fmt.Errorf("--debuginfod: %w", debuginfod.ErrNoServer)
	}
	return nil
}

// fetcher gets debug files from debuginfod servers; nil without --debuginfod.
func (c *common) fetcher() func(buildID string) (*elfbin.File, error) {
	if !c.fetch {
		return nil
	}
	opts := debuginfod.FromEnv(os.Getenv)
	if w, ok := c.progress.(*os.File); ok && isTerminal(w) {
		opts.Progress = func(p debuginfod.Progress) { printProgress(w, p) }
	}
	client := debuginfod.New(opts)
	return func(id string) (*elfbin.File, error) { return client.Fetch(context.Background(), id) }
}

// printProgress writes one line over the last one, and clears it in the end.
func printProgress(w io.Writer, p debuginfod.Progress) {
	const clear = "\r\x1b[K"
	switch {
	case p.Done:
		fmt.Fprint(w, clear)
	case p.Total < 0:
		fmt.Fprintf(w, "%s%.1f MB of %s", clear, megabytes(p.Bytes), p.URL)
	default:
		fmt.Fprintf(w, "%s%.1f of %.1f MB of %s", clear, megabytes(p.Bytes), megabytes(p.Total), p.URL)
	}
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
