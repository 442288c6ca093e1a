//go:build linux && (amd64 || arm64)

// Command soak replaces a library under load, counts its executions with
// package supervise, and compares with what the callers have written down.
//
//	soak -n 100 -way rename    one run, printed
//	soak -kill 50 -n 300    one run of the daemon, killed again and again
//	soak -out docs/supervision.md    all runs, also of other tools; rewrites its part of the page
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

func main() {
	var f flags
	flag.IntVar(&f.n, "n", 1000, "how often the library is replaced")
	flag.BoolVar(&f.gap, "gap", false, "watch by inotify alone")
	flag.StringVar(&f.ways, "way", "", "only these ways, with commas")
	flag.Uint64Var(&f.seed, "seed", 1, "of the choice")
	flag.DurationVar(&f.pause, "pause", 50*time.Millisecond, "between replacements")
	flag.BoolVar(&f.verbose, "v", false, "print events")
	flag.StringVar(&f.by, "by", "surehook", "who counts: surehook, bpftrace, naive")
	flag.StringVar(&f.out, "out", "", "do all runs and write them into this page")
	flag.IntVar(&f.idle, "idle", 0, "supervise so many libraries, and do nothing")
	flag.IntVar(&f.containers, "containers", 0, "with -idle: in so many containers too")
	flag.IntVar(&f.kills, "kill", 0, "kill the daemon so often, and start it again")
	flag.Parse()
	if err := f.run(); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

type flags struct {
	n, idle      int
	containers   int
	kills        int
	gap, verbose bool
	ways, by     string
	seed         uint64
	pause        time.Duration
	out          string
}

func (f flags) run() error {
	switch {
	case f.out != "":
		return f.page()
	case f.idle > 0:
		return f.rest()
	case f.kills > 0:
		k, err := f.kill()
		if err != nil {
			return err
		}
		fmt.Print(k)
		if faults := k.Faults(); len(faults) > 0 {
			return fmt.Errorf("%d faults", len(faults))
		}
		return nil
	}
	r, err := f.one()
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	return nil
}

// one does one run in a directory of its own.
func (f flags) one() (*result, error) {
	dir, err := os.MkdirTemp("", "surehook-soak")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &result{flags: f}
	o := soak.Options{Dir: dir, N: f.n, Seed: f.seed, Pause: f.pause, Count: r.count, Once: f.by == "bpftrace"}
	for w := range strings.SplitSeq(f.ways, ",") {
		if w != "" {
			o.Ways = append(o.Ways, soak.Way(w))
		}
	}
	r.Outcome, err = soak.Run(o)
	return r, err
}

// killPause lets daemons be ready longer than not.
const killPause = 80 * time.Millisecond

// kill does one run of a daemon that is killed.
func (f flags) kill() (*soak.Killed, error) {
	dir, err := os.MkdirTemp("", "surehook-soak")
	if err != nil {
		return nil, err
	}
	if f.verbose {
		fmt.Fprintln(os.Stderr, "the daemon's log:", filepath.Join(dir, "daemon/log"))
	} else {
		defer os.RemoveAll(dir)
	}
	program, err := soak.BuildDaemon(dir)
	if err != nil {
		return nil, err
	}
	return soak.Kill(soak.Options{Dir: dir, N: f.n, Seed: f.seed, Pause: max(f.pause, killPause)}, program, f.kills)
}

// rest measures supervision while nothing happens.
func (f flags) rest() error {
	dir, err := os.MkdirTemp("", "surehook-soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := soak.Idle(dir, f.idle, f.containers, supervise.Options{NoGap: !f.gap}, 20*time.Second)
	if err != nil {
		return err
	}
	if r.Containers > 0 {
		fmt.Printf("%d containers, ", r.Containers)
	}
	fmt.Printf("%d libraries, %d hooks: %.3f %% of a processor, %.1f MB, over %v\n",
		r.Libraries, r.Hooks, r.CPU*100, float64(r.Resident)/1e6, r.Took.Round(time.Second))
	return nil
}
