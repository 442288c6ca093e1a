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

	"github.com/surehook/surehook/internal/missestruth"
	"github.com/surehook/surehook/internal/vmtest"
)

// mark begins the generated part of the page.
const mark = "<!-- What follows is made by \"make missestruth\". -->\n"

func main() {
	out := flag.String("out", "", "rewrite the generated part of the page `FILE`; default: print it")
	only := flag.String("only", "", "only kernels whose name begins with `TEXT`, as \"6.1 amd64\"")
	flag.Parse()
	if err := run(context.Background(), *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "missestruth:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, only string) error {
	tmp, err := os.MkdirTemp("", "missestruth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	var results []missestruth.Result
	var failed []error
	for _, vm := range vmtest.Kernels() {
		if vm.Arch != "amd64" || vm.Extra || !strings.HasPrefix(vm.Name(), only) {
			continue
		}
		guest := filepath.Join(tmp, vm.Arch)
		if err := vmtest.Build(ctx, vm.Arch, "github.com/surehook/surehook/internal/cmd/vmmisses", guest); err != nil {
			return err
		}
		r, err := missestruth.Try(ctx, vm, guest, missestruth.Matrix(vm.Arch))
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", vm.Name(), err))
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %d nestings\n", vm.Name(), len(r.Tried))
		results = append(results, r)
	}
	if len(results) == 0 {
		return errors.Join(failed...)
	}
	var page bytes.Buffer
	missestruth.WriteMatrix(&page, results)
	return errors.Join(append(failed, put(out, page.Bytes()))...)
}

// put writes the generated part of a page.
func put(file string, part []byte) error {
	if file == "" {
		_, err := os.Stdout.Write(part)
		return err
	}
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
