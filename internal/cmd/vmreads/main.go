//go:build linux

// Command vmreads runs the programs of package fieldtruth that read something by
// its place, does what they are about, and writes what they got. It runs inside
// virtual machines.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
)

func main() {
	if err := readAll(); err != nil {
		fmt.Fprintln(os.Stderr, "vmreads:", err)
		os.Exit(1)
	}
}

// short leaves the verifier's log out, but for its end.
func short(err error) string {
	var v *ebpf.VerifierError
	if errors.As(err, &v) && len(v.Log) > 0 {
		return fmt.Sprintf("%v: %s", v.Cause, strings.Join(v.Log[max(0, len(v.Log)-3):], " | "))
	}
	return err.Error()
}
