package accuracy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/surehook/surehook/attach"
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
	bin    compiled
	inputs map[string][]byte
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
	text := "set -e\n"
	for _, c := range p.commands {
		// A shell adds variables of its own, and jq for one reads them all.
		text += "env -i " + c + "\n"
	}
	files[script] = []byte(text)
	return workload{bin, files}, nil
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

// countOffsets runs the workload once under one probe at each file offset and
// gives the hits by offset. Offsets that the engine refuses (not the start of
// an instruction; a nop that is unsafe to probe) are left out of the answer.
func (w workload) countOffsets(ctx context.Context, offsets []uint64, random bool) (map[uint64]uint64, error) {
	offsets = slices.Clone(offsets)
	slices.Sort(offsets)
	offsets = slices.Compact(offsets)
	plan := attach.Plan{Path: w.bin.path}
	for _, o := range offsets {
		plan.Probes = append(plan.Probes, attach.Probe{Offset: o})
	}
	unlock, err := w.bin.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := attach.Open([]attach.Plan{plan}, attach.Options{BestEffort: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := w.run(ctx, random); err != nil {
		return nil, err
	}
	if err := s.Detach(); err != nil {
		return nil, err
	}
	counts, err := s.Counts()
	if err != nil {
		return nil, err
	}
	hits := map[uint64]uint64{}
	for i, o := range offsets {
		hits[o] = counts[0][i]
	}
	for _, f := range s.Failures() {
		delete(hits, offsets[f.Probe])
	}
	return hits, nil
}
