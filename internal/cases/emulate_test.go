package cases

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/counted"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

const emulator = "qemu-aarch64"

// emulate counts what probes would count in an arm64 program on another
// machine: QEMU logs the registers before every instruction. The programs
// are linked to fixed addresses and have no C library, so that logs are short.
func (p *probed) emulate(all []sites.Result, words []string) ([]counted.Count, string) {
	help, err := exec.Command(emulator, "--help").CombinedOutput()
	if err != nil {
		return nil, emulator + " is not installed"
	}
	single := "-singlestep"
	if bytes.Contains(help, []byte("one-insn-per-tb")) {
		single = "-one-insn-per-tb" // QEMU 8.1
	}
	log := filepath.Join(p.dir, "emulator.log")
	args := []string{emulator, single, "-d", "exec,nochain,cpu", "-D", log}
	if out, err := command(p.t, p.dir, append(args, words...)).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.run, err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	t := tally.New(all, tally.Options{})
	hits := make([]map[uint64][]flow.Regs, len(t.Plans()))
	for plan := range t.Plans() {
		hits[plan] = map[uint64][]flow.Regs{}
		for _, probe := range t.Plans()[plan].Probes {
			hits[plan][probe.Offset] = nil
		}
	}
	steps := 0
	err = readSteps(f, func(r flow.Regs) {
		steps++
		off, ok := p.binary.File().FileOffset(r.PC)
		for plan := range hits {
			if _, probed := hits[plan][off]; ok && probed {
				hits[plan][off] = append(hits[plan][off], r)
			}
		}
	})
	if err != nil || steps == 0 {
		p.t.Fatalf("%d steps in the emulator's log, %v", steps, err)
	}
	return t.Count(func(plan, probe int) (h tally.Hits) {
		at := t.Plans()[plan].Probes[probe]
		for _, r := range hits[plan][at.Offset] {
			r.Mem = p.binary.File().Pointer
			if at.Cond.Holds(r) {
				h.Hits++
			}
		}
		return h
	}, nil), ""
}

// readSteps reads the register dumps of QEMU's log: words like X07=..., PC=...,
// PSTATE=...; PC begins a dump and PSTATE ends it.
func readSteps(log io.Reader, step func(flow.Regs)) error {
	var r flow.Regs
	scan := bufio.NewScanner(log)
	for scan.Scan() {
		for _, word := range strings.Fields(strings.ReplaceAll(scan.Text(), " SP=", " X31=")) {
			name, value, ok := strings.Cut(word, "=")
			if !ok || name != "PC" && name != "PSTATE" && !strings.HasPrefix(name, "X") {
				continue
			}
			n, err := strconv.ParseUint(value, 16, 64)
			if err != nil {
				return fmt.Errorf("%s: %w", word, err)
			}
			switch name {
			case "PC":
				r = flow.Regs{PC: n}
			case "PSTATE":
				r.Flags = n
				step(r)
			default:
				i, err := strconv.Atoi(name[1:])
				if err != nil || i > 31 {
					return fmt.Errorf("register %s", name)
				}
				r.GPR[i] = n
			}
		}
	}
	return scan.Err()
}
