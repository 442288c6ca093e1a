package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/misses"
	"github.com/surehook/surehook/running"
)

// why finds reasons for what programs missed. What it could not be told from
// is said.
func (f *missesFlags) why(s streams, inv *running.Inventory, programs []misses.Program) (reasons []misses.Reason, failed error) {
	c := misses.Clues{NoCalls: "nothing is known of the running kernel", Kprobes: kprobeList()}
	var err error
	if c.Calls, err = misses.Calls(programs); err != nil {
		fmt.Fprintf(s.err, "what programs call is not known: %v\n", err)
	}
	known, err := f.atlas.catalogue()
	if err != nil {
		fmt.Fprintf(s.err, "not all is known of kernels: %v\n", err)
	}
	if known != nil {
		defer func() { failed = errors.Join(failed, known.Close()) }()
		list, err := known.Find(kernels.Live)
		if len(list) > 0 {
			events, err := list[0].Tracepoints()
			if err != nil {
				return nil, err
			}
			c.Categories = misses.Categories(events)
			if c.NoCalls = list[0].Missing(kernel.Calls); c.NoCalls == "" {
				c.Fleet = check.NewFleet(list[:1], nil)
			}
		} else if err != nil {
			c.NoCalls = err.Error()
		}
	}
	return misses.Why(inv, programs, c)
}

// kprobeList reads the kernel's list of kprobes by function; nil where debugfs
// is not mounted.
func kprobeList() map[string]string {
	data, err := os.ReadFile("/sys/kernel/debug/kprobes/list")
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if part := strings.Fields(line); len(part) > 2 { // ffffffff81234560  k  vfs_read+0x0    [FTRACE]
			name, _, _ := strings.Cut(part[2], "+")
			out[name] = strings.TrimSpace(line)
		}
	}
	return out
}
