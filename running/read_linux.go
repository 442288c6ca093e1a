package running

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/internal/unix"
)

// types are the kinds of programs that trace.
func types() map[ebpf.ProgramType]Type {
	return map[ebpf.ProgramType]Type{
		ebpf.Kprobe: Kprobe, ebpf.TracePoint: Tracepoint, ebpf.RawTracepoint: RawTracepoint, ebpf.RawTracepointWritable: RawTracepoint,
		ebpf.PerfEvent: PerfEvent, ebpf.Tracing: Tracing, ebpf.LSM: LSM,
	}
}

// reader collects an Inventory.
type reader struct {
	Inventory
	proc    string
	holders *holders
	pins    pins
	targets targets
	// ofProgram tells of programs whether they were loaded for a BPF program's
	// function; those for the kernel's are not in it.
	ofProgram map[uint32]answer
	noMissed  *string // why links do not tell what they missed, "" if they do; nil: not asked yet
}

type answer uint8

const (
	no answer = iota
	yes
	unclear
)

// Read lists what is loaded and attached. What could not be looked at is in
// Unread; the error is ErrNotPermitted, or that of listing programs or links.
func Read(opts Options) (*Inventory, error) {
	r := &reader{proc: cmp.Or(opts.Proc, "/proc"), Inventory: Inventory{Others: map[string]int{}}, ofProgram: map[uint32]answer{}, targets: targets{}}
	if err := r.programs(); err != nil {
		return nil, permitted(err)
	}
	r.hold()
	if err := r.links(); err != nil {
		return nil, permitted(err)
	}
	r.events()
	if err := r.resolve(); err != nil {
		r.Unread = append(r.Unread, Unread{"/proc/kallsyms", err.Error()})
	}
	for i := range r.Programs {
		p := &r.Programs[i]
		p.Holders, p.Pins = r.holders.of(program, p.ID), r.pins[pin{program, p.ID}]
	}
	slices.SortStableFunc(r.Attachments, func(a, b Attachment) int {
		return cmp.Or(cmp.Compare(a.Program, b.Program), cmp.Compare(a.Link, b.Link))
	})
	return &r.Inventory, nil
}

func permitted(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return ErrNotPermitted
	}
	return err
}

// programs lists the programs. One that is unloaded meanwhile is passed over.
func (r *reader) programs() error {
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing BPF programs: %w", err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("BPF program %d: %w", id, err)
		}
		err = r.program(uint32(id), p)
		if err = errors.Join(err, p.Close()); err != nil {
			return fmt.Errorf("BPF program %d: %w", id, err)
		}
	}
}

func (r *reader) program(id uint32, p *ebpf.Program) error {
	t, ok := types()[p.Type()]
	if !ok {
		r.Others[p.Type().String()]++
		return nil
	}
	info, err := p.Info()
	if err != nil {
		return err
	}
	more, err := unix.ProgInfo(p.FD())
	if err != nil {
		return err
	}
	out := Program{
		ID: id, Name: fullName(info), Type: t, Tag: info.Tag, UID: more.UID, Loaded: more.Loaded, Runs: more.Runs, RunTime: more.RunTime,
		Skipped: Counter{N: more.Skipped},
	}
	if !more.HasSkipped {
		out.Skipped = Counter{NotKnown: "this kernel does not count it; Linux 5.12 and later do"}
	}
	switch {
	case t != Tracing && t != LSM:
	case !more.HasTarget:
		r.ofProgram[id] = unclear
	case more.TargetType != 0:
		place, why := r.targets.find(more.TargetBTF, more.TargetType)
		if why == "" {
			out.Target = &place
		} else if errors.Is(r.targets.of(more.TargetBTF).err, errNotKernel) {
			r.ofProgram[id] = yes
		}
	}
	r.Programs = append(r.Programs, out)
	return nil
}

// fullName gives the name of a program's function, which is cut off after 15
// bytes in the kernel's own record.
func fullName(info *ebpf.ProgramInfo) string {
	funcs, err := info.FuncInfos()
	if err != nil || len(funcs) == 0 { // loaded without BTF
		return info.Name
	}
	first := slices.MinFunc(funcs, func(a, b btf.FuncOffset) int { return cmp.Compare(a.Offset, b.Offset) })
	return cmp.Or(first.Func.Name, info.Name)
}
