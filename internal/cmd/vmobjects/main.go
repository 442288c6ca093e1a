//go:build linux

// Command vmobjects loads programs of BPF objects, each by itself with the maps
// that it needs, attaches them, and writes what became of each. It runs inside
// virtual machines of package fieldtruth.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"

	"github.com/surehook/surehook/internal/fieldtruth"
)

func main() {
	do := run
	if len(os.Args) == 2 && os.Args[1] == "read" {
		do = readAll
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "vmobjects:", err)
		os.Exit(1)
	}
}

func run() error {
	data, err := os.ReadFile(fieldtruth.AttemptsFile)
	if err != nil {
		return err
	}
	var list []fieldtruth.Attempt
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return err
	}
	var out []fieldtruth.Tried
	for _, a := range list {
		out = append(out, try(a))
	}
	if data, err = json.Marshal(out); err != nil {
		return err
	}
	return os.WriteFile(fieldtruth.TriedFile, data, 0o644)
}

func try(a fieldtruth.Attempt) fieldtruth.Tried {
	p, done, err := load(a)
	if err != nil {
		return fieldtruth.Tried{Stage: "load", Error: short(err)}
	}
	defer done()
	l, err := attach(a, p)
	if err != nil {
		return fieldtruth.Tried{Stage: "attach", Error: short(err)}
	}
	if l != nil {
		if err := l.Close(); err != nil {
			return fieldtruth.Tried{Stage: "detach", Error: err.Error()}
		}
	}
	return fieldtruth.Tried{}
}

// load loads one program of an object.
func load(a fieldtruth.Attempt) (*ebpf.Program, func(), error) {
	all, err := ebpf.LoadCollectionSpec(a.Object)
	if err != nil {
		return nil, nil, err
	}
	p, ok := all.Programs[a.Program]
	if !ok {
		return nil, nil, fmt.Errorf("no program %s", a.Program)
	}
	switch a.Kind {
	case "fentry", "fexit":
		p.AttachTo = a.Name // where the loader puts it
	}
	one := &ebpf.CollectionSpec{Programs: map[string]*ebpf.ProgramSpec{a.Program: p}, Maps: map[string]*ebpf.MapSpec{}, Variables: map[string]*ebpf.VariableSpec{}, Types: all.Types, ByteOrder: all.ByteOrder}
	for _, i := range p.Instructions {
		name := i.Reference()
		m, ok := all.Maps[name]
		if !ok {
			continue
		}
		one.Maps[name] = sized(m)
	}
	c, err := ebpf.NewCollectionWithOptions(one, ebpf.CollectionOptions{})
	if err != nil {
		return nil, nil, err
	}
	return c.Programs[a.Program], c.Close, nil
}

// sized gives a map the size that its tool sets before it is loaded.
func sized(m *ebpf.MapSpec) *ebpf.MapSpec {
	const entries, frames = 1024, 127
	if m.MaxEntries == 0 && m.Type != ebpf.PerfEventArray {
		m.MaxEntries = entries
		if m.Type == ebpf.RingBuf {
			m.MaxEntries = 1 << 16
		}
	}
	if m.Type == ebpf.StackTrace && m.ValueSize == 0 {
		m.KeySize, m.ValueSize = 4, frames*8
	}
	return m
}

// attach attaches a program; without a kind it does nothing.
func attach(a fieldtruth.Attempt, p *ebpf.Program) (link.Link, error) {
	switch a.Kind {
	case "":
		return nil, nil
	case "kprobe":
		return link.Kprobe(a.Name, p, nil)
	case "kretprobe":
		return link.Kretprobe(a.Name, p, nil)
	case "tracepoint":
		return link.Tracepoint(a.System, a.Name, p, nil)
	case "rawtracepoint":
		if strings.HasPrefix(strings.TrimPrefix(a.Section, "?"), "tp_btf") {
			return link.AttachTracing(link.TracingOptions{Program: p})
		}
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: a.Name, Program: p})
	case "fentry", "fexit":
		return link.AttachTracing(link.TracingOptions{Program: p})
	case "lsm":
		return link.AttachLSM(link.LSMOptions{Program: p})
	}
	return nil, fmt.Errorf("kind %q", a.Kind)
}

// short leaves the verifier's log out, but for its end.
func short(err error) string {
	var v *ebpf.VerifierError
	if errors.As(err, &v) && len(v.Log) > 0 {
		return fmt.Sprintf("%v: %s", v.Cause, strings.Join(v.Log[max(0, len(v.Log)-3):], " | "))
	}
	return err.Error()
}
