// Command bench measures surehook against perf probe on a Linux kernel with
// debug information: the time and memory of the whole index, of one function
// from the remembered index, and the time to attach. Every command is a process
// of its own, run in turns with perf. It exits with 1 when a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/surehook/surehook/internal/memory"
)

// function is the one that perf is asked for: tracers' favourite.
const function = "vfs_read"

// options are the flags.
type options struct {
	vmlinux string
	cache   string
	rounds  int
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "-index" {
		memory.CollectLate() // as the command does
		if err := index(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missed, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if missed {
		os.Exit(1)
	}
}

// run tells whether a target is missed.
func run(ctx context.Context) (bool, error) {
	var opts options
	flag.StringVar(&opts.vmlinux, "vmlinux", "", "the kernel to read (default: Debian's cloud kernel, downloaded once)")
	flag.StringVar(&opts.cache, "cache", "", "directory for the download (default $XDG_CACHE_HOME/surehook/bench or .cache/bench)")
	flag.IntVar(&opts.rounds, "rounds", 7, "how often each command runs")
	flag.Parse()
	if flag.NArg() > 0 || opts.rounds < 1 {
		return false, errors.New("usage: bench [-vmlinux FILE] [-cache DIR] [-rounds N]")
	}
	if opts.vmlinux == "" {
		var err error
		if opts.vmlinux, err = download(ctx, opts.cache); err != nil {
			return false, err
		}
	}
	vmlinux, err := filepath.Abs(opts.vmlinux)
	if err != nil {
		return false, err
	}
	work, err := os.MkdirTemp("", "surehook-bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	r := report{}
	if err := r.kernel(ctx, vmlinux, work, opts.rounds); err != nil {
		return false, err
	}
	r.attach(work, opts.rounds)
	return r.print(os.Stdout), nil
}
