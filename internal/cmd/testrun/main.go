// Command testrun runs "go test -json" and prints what a person needs of it:
// failures with their output, one line a package, and at the end a table of
// what was skipped and why, so that a skipped test is never taken for a pass.
//
//	go run ./internal/cmd/testrun [go test flags] packages
//
// It fails when a test failed, when a package did not build, and when no test
// ran at all.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(stderr, "testrun:", err)
		return 2
	}
	sum := newSummary(stdout)
	if err := sum.read(out); err != nil {
		fmt.Fprintln(stderr, "testrun:", err)
		// The rest must be taken off the pipe or go test never ends.
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		return 2
	}
	err = cmd.Wait()
	sum.print()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(stderr, "testrun:", err)
		return 2
	}
	return sum.exitCode(err != nil)
}
