package accuracy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// prefix is what every live run begins with: the same addresses each time,
// unless the run is to show what depends on them.
func prefix(random bool) []string {
	if random {
		return nil
	}
	return []string{"setarch", "-R"}
}

// workload runs the program's commands in its directory, which holds the
// binary and its fresh inputs and nothing else.
type workload struct {
	bin      compiled
	inputs   map[string][]byte
	patterns []string // see program.hooks
}

// script is the input that runs the commands, and how it is started.
const (
	script    = "run.sh"
	runScript = "sh " + script
)

func newWorkload(p program, bin compiled) (workload, error) {
	files, err := p.inputs()
	if err != nil {
		return workload{}, err
	}
	commands := p.commands
	if bin.arch != archAMD64 && p.emulated > 0 {
		commands = commands[:p.emulated]
	}
	text := "set -e\n"
	for _, c := range commands {
		// A shell adds variables of its own, and jq for one reads them all.
		text += "env -i " + c + "\n"
	}
	files[script] = []byte(text)
	return workload{bin, files, p.hooks}, nil
}

// key is a hash of everything that decides what the commands do.
func (w workload) key() string { return keyOf(w.bin.key, w.inputs) }

// reset makes the directory as it was after the build.
func (w workload) reset() error {
	entries, err := os.ReadDir(w.bin.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(w.bin.path) {
			if err := os.RemoveAll(filepath.Join(w.bin.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return writeInputs(w.bin.dir, w.inputs)
}

// run runs all commands.
func (w workload) run(ctx context.Context, random bool) error {
	if err := w.reset(); err != nil {
		return err
	}
	args := append(prefix(random), strings.Fields(runScript)...)
	if _, err := run(ctx, w.bin.dir, args[0], args[1:]...); err != nil {
		return fmt.Errorf("workload: %w", err)
	}
	return nil
}

// machine is where a workload runs: here, or in a virtual machine.
type machine interface {
	// hits counts each offset twice, see workload.counts.
	hits(ctx context.Context, w workload, offsets []uint64) (fixed, random map[uint64]uint64, err error)
	// trace gives what surehook trace says of the workload, JSON lines.
	trace(ctx context.Context, w workload, surehook string) (string, error)
}

// here is this machine.
type here struct{}

func (here) hits(ctx context.Context, w workload, offsets []uint64) (fixed, random map[uint64]uint64, err error) {
	if fixed, err = w.countOffsets(ctx, offsets, false); err != nil {
		return nil, nil, err
	}
	random, err = w.countOffsets(ctx, offsets, true)
	return fixed, random, err
}

func (here) trace(ctx context.Context, w workload, surehook string) (string, error) {
	unlock, err := w.bin.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := w.reset(); err != nil {
		return "", err
	}
	args := append(prefix(false), surehook, "trace", "--count", "--format", "json", "-c", runScript)
	args = append(args, w.hooks(w.bin.path)...)
	return run(ctx, w.bin.dir, args[0], args[1:]...)
}

// hooks asks for the program's functions, in the binary at path: all of a
// binary, but of Rust's and Go's, which hold std and runtime, only its own.
func (w workload) hooks(path string) []string {
	var list []string
	for _, pattern := range w.patterns {
		list = append(list, "uprobe:"+path+":"+pattern)
	}
	if len(list) == 0 {
		list = []string{"uprobe:" + path + ":*"}
	}
	return list
}

// countOffsets runs the workload here once under one probe at each file offset
// and gives the hits by offset, without those that were refused.
func (w workload) countOffsets(ctx context.Context, offsets []uint64, random bool) (map[uint64]uint64, error) {
	unlock, err := w.bin.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return Hits(w.bin.path, offsets, func() error { return w.run(ctx, random) })
}
