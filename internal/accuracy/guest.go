package accuracy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"time"

	"github.com/surehook/surehook/internal/vmtest"
)

// guest is a virtual machine of another architecture. Its kernel and its
// shell are Debian packages.
type guest struct {
	arch     string
	machine  vmtest.Machine
	busybox  string // static
	commands string // directory of surehook and hits, built for it
}

// The guests' packages: the newest kernel that Debian has for its stable
// release, because uprobe_multi came with Linux 6.6.
const (
	guestSuite  = "bookworm-backports"
	guestKernel = "linux-image-cloud-" // and the architecture
)

// guestSeconds bounds one run of a workload under emulation.
const guestSeconds = 20 * 60

// newGuest fetches what the machine is made of and builds what runs in it.
func newGuest(ctx context.Context, arch, commands string) (*guest, error) {
	cache, err := vmtest.CacheDir()
	if err != nil {
		return nil, err
	}
	kernel, err := vmtest.Package{Arch: arch, Suite: guestSuite, Name: guestKernel + arch}.Image(ctx, cache)
	if err != nil {
		return nil, err
	}
	busybox, err := vmtest.Package{Arch: arch, Suite: release, Name: "busybox-static"}.Fetch(ctx, cache)
	if err != nil {
		return nil, err
	}
	g := &guest{arch: arch, busybox: filepath.Join(busybox, "bin", "busybox"), commands: commands,
		machine: vmtest.Machine{Arch: arch, Kernel: kernel, Timeout: 3 * guestSeconds * time.Second}}
	for _, name := range []string{"surehook", "hits"} {
		dir := map[string]string{"surehook": "cmd/", "hits": "internal/cmd/"}[name]
		if err := vmtest.Build(ctx, arch, "github.com/surehook/surehook/"+dir+name, filepath.Join(commands, name+"-"+arch)); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// hits counts in two directories, once with and once without address space
// randomisation.
func (g *guest) hits(ctx context.Context, w workload, offsets []uint64) (fixed, random map[uint64]uint64, err error) {
	list, err := json.Marshal(offsets)
	if err != nil {
		return nil, nil, err
	}
	job := vmtest.Job{Sysctl: map[string]string{"kernel/randomize_va_space": "0"}}
	for _, dir := range []string{"/w1", "/w2"} {
		if err := g.put(&job, w, dir); err != nil {
			return nil, nil, err
		}
		if dir == "/w2" {
			job.Steps = append(job.Steps, vmtest.Step{Args: []string{"/bin/sysctl", "-w", "kernel.randomize_va_space=2"}})
		}
		job.Steps = append(job.Steps, vmtest.Step{
			Args: []string{"/bin/hits", path.Join(dir, filepath.Base(w.bin.path)), "/offsets.json", "/bin/sh", script}, Dir: dir, Env: cleanEnv(), Seconds: guestSeconds,
		})
	}
	job.Files = append(job.Files, vmtest.File{Name: "/offsets.json", Data: list}, vmtest.File{Name: "/bin/hits", From: filepath.Join(g.commands, "hits-"+g.arch)})
	outs, err := g.run(ctx, job)
	if err != nil {
		return nil, nil, err
	}
	err = errors.Join(json.Unmarshal(outs[0], &fixed), json.Unmarshal(outs[2], &random))
	return fixed, random, err
}

// trace runs surehook in the machine.
func (g *guest) trace(ctx context.Context, w workload, _ string) (string, error) {
	job := vmtest.Job{Sysctl: map[string]string{"kernel/randomize_va_space": "0"}}
	if err := g.put(&job, w, "/w1"); err != nil {
		return "", err
	}
	job.Files = append(job.Files, vmtest.File{Name: "/bin/surehook", From: filepath.Join(g.commands, "surehook-"+g.arch)})
	job.Steps = []vmtest.Step{{
		Args: append([]string{"/bin/surehook", "trace", "--count", "--format", "json", "-c", runScript}, w.hooks(path.Join("/w1", filepath.Base(w.bin.path)))...),
		Dir:  "/w1", Env: cleanEnv(), Seconds: guestSeconds,
	}}
	outs, err := g.run(ctx, job)
	if err != nil {
		return "", err
	}
	return string(outs[0]), nil
}

// run gives what each step wrote to standard output; all must succeed.
func (g *guest) run(ctx context.Context, job vmtest.Job) ([][]byte, error) {
	out, err := g.machine.Run(ctx, job)
	if err != nil {
		return nil, err
	}
	var outs [][]byte
	for i, d := range out.Steps {
		if d.Exit != 0 {
			return nil, &commandError{job.Steps[i].Args, string(d.Stderr) + string(d.Stdout), fmt.Errorf("exit status %d %s (Linux %s %s)", d.Exit, d.Error, out.Kernel, g.arch)}
		}
		outs = append(outs, d.Stdout)
	}
	return outs, nil
}

// put puts a workload with its libraries and a shell into the machine.
func (g *guest) put(job *vmtest.Job, w workload, dir string) error {
	add := func(f vmtest.File) {
		for _, have := range job.Files {
			if have.Name == f.Name {
				return
			}
		}
		job.Files = append(job.Files, f)
	}
	add(vmtest.File{Name: "/bin/busybox", From: g.busybox})
	for _, name := range []string{"sh", "env", "sysctl"} {
		add(vmtest.File{Name: "/bin/" + name, Link: "busybox"})
	}
	add(vmtest.File{Name: "/usr/bin", Link: "../bin"})
	add(vmtest.File{Name: path.Join(dir, filepath.Base(w.bin.path)), From: w.bin.path})
	for name, data := range w.inputs {
		add(vmtest.File{Name: path.Join(dir, name), Data: data, Mode: 0o644})
	}
	libs, err := vmtest.Libraries(g.arch, w.bin.path)
	for _, l := range libs {
		add(l)
	}
	return err
}
