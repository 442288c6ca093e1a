// Command bench measures surehook against perf probe on a Linux kernel with
// debug information: the time and memory of the whole index, of one function
// from the remembered index, the time to attach, and 50 hooks on all kernels of
// the atlas. Every command is a process
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
	fleet   bool
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
	flag.BoolVar(&opts.fleet, "fleet", false, "only the hooks on all kernels")
	flag.IntVar(&opts.rounds, "rounds", 7, "how often each command runs")
	flag.Parse()
	if flag.NArg() > 0 || opts.rounds < 1 {
		return false, errors.New("usage: bench [-vmlinux FILE] [-cache DIR] [-rounds N] [-fleet]")
	}
	work, err := os.MkdirTemp("", "surehook-bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	r := report{}
	if !opts.fleet {
		if err := r.file(ctx, opts, work); err != nil {
			return false, err
		}
	}
	if err := r.fleet(ctx, work, opts.rounds); err != nil {
		return false, err
	}
	return r.print(os.Stdout), nil
}

// file measures on the file of one kernel.
func (r *report) file(ctx context.Context, opts options, work string) error {
	if opts.vmlinux == "" {
		var err error
		if opts.vmlinux, err = download(ctx, opts.cache); err != nil {
			return err
		}
	}
	vmlinux, err := filepath.Abs(opts.vmlinux)
	if err != nil {
		return err
	}
	if err := r.kernel(ctx, vmlinux, work, opts.rounds); err != nil {
		return err
	}
	r.attach(work, opts.rounds)
	return nil
}
