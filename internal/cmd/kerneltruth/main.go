// Command kerneltruth tries in virtual machines whether probes attach as check
// says, and writes docs/kernel-truth.md.
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
	"github.com/surehook/surehook/internal/kerneltruth"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
)

const head = `# What check says of kernel hooks, and what kernels do

Made by ` + "`make kerneltruth`" + `: functions of every class are taken by a fixed seed (%d) from the atlas entry of
each kernel; check says whether a plain probe can be attached; then it is tried on that kernel in a virtual
machine. "Not known before" is where check says that it cannot tell.

Where inlining is not known (7.0: Debian no longer has its debug package) nothing is counted. Where a plan counts
fewer than the truth, its verdict must not be complete: ` + "`build_open_flags`" + ` has no place for ftrace, because functions that are
declared inline are notrace, so that the kernel refuses its body.
`

func main() {
	out := flag.String("out", "", "write the page to `FILE`; default: standard output")
	file := flag.String("atlas", "", "take this atlas `FILE` instead of the one in the program")
	only := flag.String("only", "", "only kernels whose release begins with `TEXT`")
	flag.Parse()
	if err := run(context.Background(), *out, *file, *only); err != nil {
		fmt.Fprintln(os.Stderr, "kerneltruth:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, file, only string) error {
	a, err := debian.Open()
	if file != "" {
		a, err = atlas.Open(file)
	}
	if err != nil {
		return err
	}
	defer a.Close()
	tmp, err := os.MkdirTemp("", "kerneltruth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	var page bytes.Buffer
	var failed []error
	fmt.Fprintf(&page, head, kerneltruth.Seed)
	for _, vm := range vmtest.Kernels() {
		k, other := pair(a, vm.Release)
		if k == nil || !strings.HasPrefix(vm.Release, only) {
			continue
		}
		guest := filepath.Join(tmp, vm.Arch)
		if err := vmtest.Build(ctx, vm.Arch, "github.com/surehook/surehook/internal/cmd/vmhooks", guest); err != nil {
			return err
		}
		list, err := tryAll(ctx, vm, guest, k, other)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", vm.Release, err))
			continue
		}
		kerneltruth.WriteKernel(&page, k.Identity().Name, list)
		if counts, err := countAll(ctx, vm, k, guest, tmp, file); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", vm.Release, err))
		} else {
			kerneltruth.WriteCounts(&page, counts)
		}
		if out != "" { // a run takes half an hour: what is done is kept
			if err := os.WriteFile(out, page.Bytes(), 0o644); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "%s: %d tried, %d wrong\n", vm.Release, len(list), len(kerneltruth.Wrong(list)))
	}
	if out == "" {
		_, err = os.Stdout.Write(page.Bytes())
	}
	return errors.Join(append(failed, err)...)
}

// pair finds a kernel in the atlas, and the one next to it.
func pair(a *atlas.Atlas, release string) (k, other kernel.Kernel) {
	list := a.Entries()
	for i, e := range list {
		if e.Identity().Release == release {
			if i+1 < len(list) {
				return e, list[i+1]
			}
			return e, list[max(i-1, 0)]
		}
	}
	return nil, nil
}

func tryAll(ctx context.Context, vm vmtest.Kernel, guest string, k, other kernel.Kernel) ([]kerneltruth.Prediction, error) {
	functions, err := kerneltruth.Choose(k, other)
	if err != nil {
		return nil, err
	}
	events, err := kerneltruth.ChooseEvents(k, other)
	if err != nil {
		return nil, err
	}
	list, err := kerneltruth.Predict(k, functions, events)
	if err != nil {
		return nil, err
	}
	return list, kerneltruth.Try(ctx, vm, guest, list)
}

// countAll counts with the plan and without. The program has the atlas of the
// kernels in it; another file goes along.
func countAll(ctx context.Context, vm vmtest.Kernel, k kernel.Kernel, guest, tmp, file string) ([]kerneltruth.Counted, error) {
	surehook := filepath.Join(tmp, "surehook-"+vm.Arch)
	if err := vmtest.Build(ctx, vm.Arch, "github.com/surehook/surehook/cmd/surehook", surehook); err != nil {
		return nil, err
	}
	if file == "" {
		file = "atlas/debian/debian.atlas"
	}
	return kerneltruth.Count(ctx, vm, k, surehook, guest, file)
}
