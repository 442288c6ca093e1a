// Command fieldreport writes docs/field-report.md: Debian's libbpf-tools and
// scripts of bpftrace against the kernels of the atlas.
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

	"github.com/surehook/surehook/atlas/debian"
	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/fieldreport"
	"github.com/surehook/surehook/internal/fieldtruth"
	"github.com/surehook/surehook/internal/shipped"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
)

const head = `# Which of Debian's tracing tools break on which of its kernels, and why

Made by ` + "`make fieldreport`" + `: the tools of the packages below, checked against the kernels of the
atlas in the program. Only what is certain is listed (errors): what a tool's loader may avert, because its code leaves the program
out or attaches it elsewhere, is a warning and marked l. Uprobes are not part of it. Whether kernels agree is tried:
[field-truth.md](field-truth.md).

- **B** breaks: a program is refused by the kernel or its loader, or there is nothing to attach to
- **G** reads wrong: it is attached, and reads something else than it means
- **M** misses calls: it is attached, and does not see executions of inlined copies or other bodies
- **l** depends on the loader
- **?** cannot be told: the facts on the kernel, or what the loader sets, are not known

Below each tool is the command that shows the claims with evidence and remedy, run where the package was unpacked.
`

func main() {
	out := flag.String("out", "", "write the page to `FILE`; default: standard output")
	flag.Parse()
	if err := run(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "fieldreport:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) error {
	a, err := debian.Open()
	if err != nil {
		return err
	}
	defer a.Close()
	byArch := map[string][]kernel.Kernel{}
	for _, e := range a.Entries() {
		arch := e.Identity().Arch.String()
		byArch[arch] = append(byArch[arch], e)
	}
	var page bytes.Buffer
	page.WriteString(head)
	var names []string
	var surfaces []*fieldreport.Surface
	var known []kernel.Kernel
	for _, k := range byArch["amd64"] {
		if k.Missing(kernel.Inlining) == "" {
			known = append(known, k)
		}
	}
	for _, s := range fieldtruth.Suites() {
		tools, err := fieldtruth.Tools(ctx, s)
		if err != nil {
			return err
		}
		surface := fieldreport.NewSurface(known)
		var files []*bpfobj.File
		for _, t := range tools {
			files = append(files, t.File)
			if s.Arch == "amd64" {
				if err := surface.Add(t.Name, t.File); err != nil {
					return err
				}
			}
		}
		if s.Arch == "amd64" {
			names, surfaces = append(names, s.Name), append(surfaces, surface)
		}
		if err := section(&page, fieldtruth.Package, s, "usr/sbin/", files, byArch[s.Arch]); err != nil {
			return err
		}
	}
	scripts := fieldtruth.Suite{Name: "bookworm", Arch: "amd64"}
	files, err := readScripts(ctx, scripts)
	if err != nil {
		return err
	}
	if err := section(&page, "bpftrace", scripts, "usr/sbin/", files, byArch["amd64"]); err != nil {
		return err
	}
	fieldreport.WriteClasses(&page, names, surfaces, releases(known), len(known))
	if out == "" {
		_, err = os.Stdout.Write(page.Bytes())
		return err
	}
	return os.WriteFile(out, page.Bytes(), 0o644)
}

func releases(list []kernel.Kernel) string {
	var out []string
	for _, k := range list {
		out = append(out, fieldreport.Short(k.Identity().Name))
	}
	return strings.Join(out, ", ")
}

// section checks the files of a package on the kernels of its architecture.
func section(page *bytes.Buffer, name string, s fieldtruth.Suite, prefix string, files []*bpfobj.File, kernels []kernel.Kernel) error {
	checker := shipped.Checker{Fleet: check.NewFleet(kernels, nil), Files: target.NewAnalyzer(target.Options{})}
	defer checker.Files.Close()
	var failed error
	for _, f := range files { // uprobes are about this machine's files, not the kernel
		for i := range f.Programs {
			p := &f.Programs[i]
			for j := 0; j < len(p.Hooks); {
				if !p.Hooks[j].Kind.User() {
					j++
					continue
				}
				p.Hooks = append(p.Hooks[:j], p.Hooks[j+1:]...)
				if p.Places != nil {
					p.Places = append(p.Places[:j], p.Places[j+1:]...)
				}
			}
		}
	}
	checked := checker.Check(files, func(subject string, err error) { failed = errors.Join(failed, fmt.Errorf("%s: %w", subject, err)) })
	if failed != nil {
		return failed
	}
	part := fieldreport.Section{
		Name: fmt.Sprintf("%s of %s, %s", name, s.Name, s.Arch), Prefix: prefix, Files: checked,
		How: fmt.Sprintf("apt-get download %s:%s/%s && dpkg-deb -x %s_*.deb .", name, s.Arch, s.Name, name),
	}
	for _, k := range kernels {
		part.Kernels = append(part.Kernels, k.Identity().Name)
	}
	part.Write(page)
	return nil
}

// readScripts fetches and reads the scripts of bpftrace.
func readScripts(ctx context.Context, s fieldtruth.Suite) ([]*bpfobj.File, error) {
	cache, err := vmtest.CacheDir()
	if err != nil {
		return nil, err
	}
	dir, err := vmtest.Package{Arch: s.Arch, Suite: s.Name, Name: "bpftrace"}.Fetch(ctx, cache)
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "usr/sbin", "*.bt"))
	if err != nil {
		return nil, err
	}
	var found shipped.Contents
	for _, n := range names {
		if err := found.Add(n); err != nil {
			return nil, err
		}
	}
	return found.Files, nil
}
