package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/surehook/surehook/attach"
)

// attachSites is how many places are probed, as far apart as functions are.
const (
	attachSites   = 2000
	attachSpacing = 64 // instructions
)

// attach measures how long it takes to attach to a file that nobody runs.
func (r *report) attach(dir string, rounds int) {
	plan, err := sparseCode(filepath.Join(dir, "code"))
	var times []time.Duration
	for range rounds {
		if err != nil {
			break
		}
		var took time.Duration
		took, err = attachOnce(plan)
		times = append(times, took)
	}
	if err != nil {
		r.missing = append(r.missing, fmt.Sprintf("attach of %d sites: %v", attachSites, err))
		return
	}
	slices.Sort(times)
	median := times[len(times)/2]
	r.add(median < maxAttach, "attach of %d sites: %.0f ms (target: below %.0f)", attachSites, median.Seconds()*1e3, maxAttach.Seconds()*1e3)
}

func attachOnce(plan attach.Plan) (time.Duration, error) {
	begin := time.Now()
	s, err := attach.Open([]attach.Plan{plan}, attach.Options{})
	took := time.Since(begin)
	if err != nil {
		return 0, err
	}
	return took, s.Close()
}

// sparseCode writes a file of instructions that every kernel probes.
func sparseCode(path string) (attach.Plan, error) {
	insn := []byte{0x55} // push %rbp
	if runtime.GOARCH == "arm64" {
		insn = []byte{0x1f, 0x20, 0x03, 0xd5} // nop
	}
	plan := attach.Plan{Path: path}
	for i := range attachSites {
		plan.Probes = append(plan.Probes, attach.Probe{Offset: uint64((i + 1) * attachSpacing * len(insn))})
	}
	return plan, os.WriteFile(path, bytes.Repeat(insn, (attachSites+2)*attachSpacing), 0o755)
}
