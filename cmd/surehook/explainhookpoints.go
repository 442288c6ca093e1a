package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/misses"
)

// explainHookpoints writes what hookpoints the running kernel has, and when
// each is missed.
func explainHookpoints(s streams) error {
	var f missesFlags
	a, err := f.abilities(s)
	if err != nil {
		return err
	}
	k, err := liveKernel()
	if err != nil {
		return err
	}
	p, err := places(k)
	if err = errors.Join(err, k.Close()); err != nil {
		return err
	}
	return misses.WriteHookpoints(s.out, a, p)
}

// places counts the hooks of a kernel.
func places(k kernel.Kernel) (misses.Places, error) {
	var p misses.Places
	events, err := k.Tracepoints()
	if err != nil {
		return p, err
	}
	raws, err := k.RawTracepoints()
	if err != nil {
		return p, err
	}
	hooks, err := k.LSMHooks()
	if err != nil {
		return p, err
	}
	functions, err := traceable(k)
	if err != nil {
		return p, err
	}
	count := func(n int, t kernel.Topic) string {
		if k.Missing(t) != "" {
			return "not known"
		}
		return strconv.Itoa(n)
	}
	p.Functions, p.Tracepoints, p.Raw, p.LSM = count(functions, kernel.Ftrace), count(len(events), kernel.Tracepoints), count(len(raws), kernel.Tracepoints), count(len(hooks), kernel.LSMHooks)
	if p.Kprobes, err = kprobes(k); err != nil {
		return p, err
	}
	p.LSMActive = lsmActive()
	return p, nil
}

// traceable counts the functions that ftrace has a place in.
func traceable(k kernel.Kernel) (n int, err error) {
	all, err := k.Names()
	if err != nil {
		return 0, err
	}
	for name := range all {
		f, _, err := k.Function(name)
		if err != nil {
			return 0, err
		}
		for _, y := range f.Symbols {
			if y.Traceable == kernel.Yes {
				n++
			}
		}
	}
	return n, nil
}

// kprobes says how the kernel does kprobes: by its configuration, and whether
// the optimization is on (sysctl debug.kprobes-optimization).
func kprobes(k kernel.Kernel) (string, error) {
	if _, set, err := k.Config("CONFIG_KPROBES"); err != nil || set == kernel.No {
		return "-", err
	}
	var by []string
	for _, o := range []struct{ option, text string }{{"CONFIG_KPROBES_ON_FTRACE", "ftrace at function entries"}, {"CONFIG_OPTPROBES", "jump where possible"}} {
		_, set, err := k.Config(o.option)
		if err != nil {
			return "", err
		}
		if set == kernel.NotKnown {
			return "not known: no configuration", nil
		}
		if set == kernel.Yes {
			by = append(by, o.text)
		}
	}
	data, err := os.ReadFile("/proc/sys/debug/kprobes-optimization")
	if err == nil && strings.TrimSpace(string(data)) == "0" {
		by = append(by, "jumps are turned off (debug.kprobes-optimization)")
	}
	return strings.Join(append(by, "else breakpoint"), ", "), nil
}

// lsmActive says why BPF is no active security module; "" if it is.
func lsmActive() string {
	data, err := os.ReadFile("/sys/kernel/security/lsm")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "not known: securityfs is not mounted"
	case err != nil:
		return fmt.Sprintf("not known: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSpace(string(data)), ",") {
		if name == "bpf" {
			return ""
		}
	}
	return "bpf is not among the active security modules (lsm=)"
}
