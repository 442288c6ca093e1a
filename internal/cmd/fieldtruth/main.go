// Command fieldtruth loads and attaches programs of Debian's libbpf-tools in
// virtual machines, and compares with what check says: docs/field-truth.md.
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
	"github.com/surehook/surehook/internal/fieldtruth"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
)

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "write the page to `FILE`; default: standard output")
	flag.StringVar(&o.only, "only", "", "only kernels whose release begins with `TEXT`")
	flag.BoolVar(&o.readOnly, "reads", false, "only what programs read")
	flag.BoolVar(&o.all, "all", false, "try every program, not just the chosen ones")
	flag.Parse()
	if err := o.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "fieldtruth:", err)
		os.Exit(1)
	}
}

type options struct {
	out, only string
	all       bool
	readOnly  bool
}

func (o *options) run(ctx context.Context) error {
	a, err := debian.Open()
	if err != nil {
		return err
	}
	defer a.Close()
	tmp, err := os.MkdirTemp("", "fieldtruth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	tools := map[string][]fieldtruth.Tool{}
	for _, s := range fieldtruth.Suites() {
		list, err := fieldtruth.Tools(ctx, s)
		if err != nil {
			return err
		}
		tools[s.Arch] = append(tools[s.Arch], list...)
	}
	var all []fieldtruth.Prediction
	for _, vm := range vmtest.Kernels() {
		k := find(a, vm.Release)
		if k == nil || !strings.HasPrefix(vm.Release, o.only) || o.readOnly {
			continue
		}
		list, err := fieldtruth.Predict(k, tools[vm.Arch])
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	breaks, passes := fieldtruth.Choose(all)
	failed := o.tryAll(ctx, a, tmp, all, append(append([]int{}, breaks...), passes...))
	var page bytes.Buffer
	fieldtruth.Write(&page, all, breaks, passes)
	reads, err := o.reads(ctx, a, tmp)
	failed = errors.Join(failed, err)
	fieldtruth.WriteReads(&page, reads)
	if o.out == "" {
		_, err = os.Stdout.Write(page.Bytes())
	} else {
		err = os.WriteFile(o.out, page.Bytes(), 0o644)
	}
	return errors.Join(failed, err)
}

// tryAll boots each kernel once.
func (o *options) tryAll(ctx context.Context, a *atlas.Atlas, tmp string, all []fieldtruth.Prediction, chosen []int) (failed error) {
	for _, vm := range vmtest.Kernels() {
		k := find(a, vm.Release)
		if k == nil {
			continue
		}
		var list []*fieldtruth.Prediction
		if o.all {
			for i := range all {
				if all[i].Kernel == k.Identity().Name {
					list = append(list, &all[i])
				}
			}
		} else {
			for _, i := range chosen {
				if all[i].Kernel == k.Identity().Name {
					list = append(list, &all[i])
				}
			}
		}
		if len(list) == 0 {
			continue
		}
		guest, err := fieldtruth.BuildLoader(ctx, vm.Arch, tmp)
		if err != nil {
			return err
		}
		if err := fieldtruth.Try(ctx, vm, k, guest, list); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", vm.Release, err))
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %d tried, %d wrong\n", vm.Release, len(list), len(fieldtruth.Wrong(list)))
	}
	return failed
}

// reads runs the programs that read on each kernel.
func (o *options) reads(ctx context.Context, a *atlas.Atlas, tmp string) ([]fieldtruth.Read, error) {
	object, err := fieldtruth.CompileReads(ctx, tmp)
	if err != nil {
		return nil, err
	}
	var list []kernel.Kernel
	for _, vm := range vmtest.Kernels() {
		if k := find(a, vm.Release); k != nil && strings.HasPrefix(vm.Release, o.only) {
			list = append(list, k)
		}
	}
	all, failed := fieldtruth.PredictReads(object, list)
	if failed != nil {
		return nil, failed
	}
	for _, vm := range vmtest.Kernels() {
		k := find(a, vm.Release)
		if k == nil || !strings.HasPrefix(vm.Release, o.only) {
			continue
		}
		guest := filepath.Join(tmp, vm.Arch)
		if err := vmtest.Build(ctx, vm.Arch, "github.com/surehook/surehook/internal/cmd/vmreads", guest); err != nil {
			return nil, err
		}
		if err := fieldtruth.TryReads(ctx, vm, k.Identity().Name, guest, object, all); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", vm.Release, err))
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: reads done\n", vm.Release)
	}
	return all, failed
}

// find gives a kernel of the atlas.
func find(a *atlas.Atlas, release string) kernel.Kernel {
	for _, e := range a.Entries() {
		if e.Identity().Release == release {
			return e
		}
	}
	return nil
}
