// Command hits counts how often file offsets of a binary are executed while a
// command runs, and writes the counts to standard output as JSON. The command's
// own output goes to standard error. It is what the accuracy harness runs
// inside virtual machines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/surehook/surehook/internal/accuracy"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: hits BINARY OFFSETS.json COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "hits:", err)
		os.Exit(1)
	}
}

func run(binary, list string, command []string) error {
	data, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var offsets []uint64
	if err := json.Unmarshal(data, &offsets); err != nil {
		return err
	}
	hits, err := accuracy.Hits(binary, offsets, func() error {
		cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return cmd.Run()
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(hits)
}
