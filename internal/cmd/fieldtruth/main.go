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
		if k == nil || !strings.HasPrefix(vm.Release, o.only) {
			continue
		}
		list, err := fieldtruth.Predict(k, tools[vm.Arch])
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	breaks, passes := fieldtruth.Choose(all)
	object, reads, err := o.reads(ctx, a, tmp)
	if err != nil {
		return err
	}
	failed := o.tryAll(ctx, a, tmp, all, append(append([]int{}, breaks...), passes...), object, reads)
	var page bytes.Buffer
	fieldtruth.Write(&page, all, breaks, passes)
	fieldtruth.WriteReads(&page, reads)
	if o.out == "" {
		_, err = os.Stdout.Write(page.Bytes())
	} else {
		err = os.WriteFile(o.out, page.Bytes(), 0o644)
	}
	return errors.Join(failed, err)
}

// tryAll boots each kernel once.
func (o *options) tryAll(ctx context.Context, a *atlas.Atlas, tmp string, all []fieldtruth.Prediction, chosen []int, object []byte, reads []fieldtruth.Read) (failed error) {
	for _, vm := range vmtest.Kernels() {
		k := find(a, vm.Release)
		if k == nil || !strings.HasPrefix(vm.Release, o.only) {
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
		g, err := guests(ctx, vm.Arch, tmp, object)
		if err != nil {
			return err
		}
		if err := fieldtruth.Try(ctx, vm, k, g, list, reads); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", vm.Release, err))
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %d tried, %d wrong\n", vm.Release, len(list), len(fieldtruth.Wrong(list)))
	}
	return failed
}

// reads compiles the programs that read, and asks check about them.
func (o *options) reads(ctx context.Context, a *atlas.Atlas, tmp string) (object []byte, list []fieldtruth.Read, err error) {
	if object, err = fieldtruth.CompileReads(ctx, tmp); err != nil {
		return nil, nil, err
	}
	var kernels []kernel.Kernel
	for _, vm := range vmtest.Kernels() {
		if k := find(a, vm.Release); k != nil && strings.HasPrefix(vm.Release, o.only) {
			kernels = append(kernels, k)
		}
	}
	list, err = fieldtruth.PredictReads(object, kernels)
	return object, list, err
}

// guests builds what runs in the machines of an architecture.
func guests(ctx context.Context, arch, tmp string, object []byte) (g fieldtruth.Guests, err error) {
	g = fieldtruth.Guests{Reader: filepath.Join(tmp, "vmreads-"+arch), Object: object}
	if g.Loader, err = fieldtruth.BuildLoader(ctx, arch, tmp); err != nil {
		return g, err
	}
	return g, vmtest.Build(ctx, arch, "github.com/surehook/surehook/internal/cmd/vmreads", g.Reader)
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
