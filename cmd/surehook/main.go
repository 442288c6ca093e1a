// Command surehook finds out whether a probe fires at every execution of its
// function, and puts it where it does.
package main

import (
	"os"

	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/internal/memory"
)

func main() {
	live.Held()
	memory.CollectLate()
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}
