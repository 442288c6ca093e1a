// Command missestruth makes probes nest in virtual machines and compares what
// their programs lost with what package misses says. It rewrites the generated
// part of docs/misses.md.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/atlas/debian"
	"github.com/surehook/surehook/internal/missestruth"
	"github.com/surehook/surehook/internal/vmtest"
)

// mark begins the generated part of the page.
const mark = "<!-- What follows is made by \"make missestruth\". -->\n"

// foretold is the text before the scores.
const foretold = `
## What is foretold against what is lost

"check --together" says before anything is attached which programs starve which, from the calls inside the kernel: whether a helper of the
outer program leads to the inner hook, and what the kernel does with a hook of that kind then. It says "starved" (SH601) where each call on the way is
made on every way through the code of the function that makes it: each time; or on every one on which that does not return an error, as when it
refuses its arguments: unless something fails. It says "may be starved, under a condition" (SH602) where at most three calls lead there and one of
them need not be made. A hook on the helper's own function, as on that which updates a map in the nestings above, is reached each time without any
call on the way. Wanted are 95 %% of what is said and of what is lost. What is lost and not said to be starved is under a condition of data: whether
an element is there, whether a lock is free, which stack is asked for. That is compared with the nestings above, and with 30 more pairs on each kernel that were chosen by a fixed seed (%d): of
hooks within three calls of a helper, and of hooks that the work itself reaches. A fentry program or raw tracepoint at the same place counts
how often the inner hook was reached. The last column is without hooks that were never reached. A hook on what its own handling calls, a lock,
loses executions with any program or none: such pairs, found by an outer program that does nothing, do not count. What is reached and lost is
of one thread, what misses says of all.
`

func main() {
	out := flag.String("out", "", "rewrite the generated part of the page `FILE`; default: print it")
	only := flag.String("only", "", "only kernels whose name begins with `TEXT`, as \"6.1 amd64\"")
	matrix := flag.Bool("matrix", false, "leave out the pairs that are chosen by the seed")
	flag.Parse()
	if err := run(context.Background(), *out, *only, *matrix); err != nil {
		fmt.Fprintln(os.Stderr, "missestruth:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, only string, matrixOnly bool) error {
	tmp, err := os.MkdirTemp("", "missestruth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	a, err := debian.Open()
	if err != nil {
		return err
	}
	defer a.Close()
	var matrices, pairs []missestruth.Result
	var failed []error
	for _, vm := range vmtest.Kernels() {
		if vm.Arch != "amd64" || vm.Extra || !strings.HasPrefix(vm.Name(), only) {
			continue
		}
		guest := filepath.Join(tmp, vm.Arch)
		if err := vmtest.Build(ctx, vm.Arch, "github.com/surehook/surehook/internal/cmd/vmmisses", guest); err != nil {
			return err
		}
		said, n, err := predictions(a, vm)
		if err != nil {
			return fmt.Errorf("%s: %w", vm.Name(), err)
		}
		if matrixOnly {
			said = said[:n]
		}
		r, err := missestruth.Try(ctx, vm, guest, said)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", vm.Name(), err))
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %d nestings\n", vm.Name(), len(r.Tried))
		matrix, others := r.Split(n)
		matrices, pairs = append(matrices, matrix), append(pairs, others)
		if out != "" { // a run takes half an hour: what is done is kept
			if err := put(out, page(matrices, pairs)); err != nil {
				return err
			}
		}
	}
	if len(pairs) == 0 || out != "" {
		return errors.Join(failed...)
	}
	_, err = os.Stdout.Write(page(matrices, pairs))
	return errors.Join(append(failed, err)...)
}

// page is the generated part of the page.
func page(matrices, pairs []missestruth.Result) []byte {
	var b bytes.Buffer
	missestruth.WriteMatrix(&b, matrices)
	fmt.Fprintf(&b, foretold, missestruth.Seed)
	fmt.Fprintln(&b, "\nThe nestings of the table above:")
	missestruth.WriteScores(&b, matrices)
	fmt.Fprintln(&b, "\nThe pairs that were chosen:")
	missestruth.WriteScores(&b, pairs)
	missestruth.WriteTotal(&b, matrices, pairs)
	missestruth.WritePairs(&b, pairs)
	return b.Bytes()
}

// predictions are what check says of all nestings on a kernel; the first n are
// the matrix.
func predictions(a *atlas.Atlas, vm vmtest.Kernel) (said []missestruth.Prediction, n int, err error) {
	for _, k := range a.Entries() {
		if k.Identity().Release != vm.Release {
			continue
		}
		if said, err = missestruth.Predict(k, missestruth.Matrix(vm.Arch)); err != nil {
			return nil, 0, err
		}
		chosen, err := missestruth.Choose(k, vm.Arch)
		return append(said, chosen...), len(said), err
	}
	return nil, 0, errors.New("this kernel is not in the atlas")
}

// put writes the generated part of a page.
func put(file string, part []byte) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	at := bytes.Index(page, []byte(mark))
	if at < 0 {
		return fmt.Errorf("%s: no line %q", file, strings.TrimSpace(mark))
	}
	return os.WriteFile(file, append(page[:at+len(mark)], part...), 0o644)
}
