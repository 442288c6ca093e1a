//go:build linux && (amd64 || arm64)

package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/caller"
)

// kprobeList says of each kprobe in the kernel how it gets control.
const kprobeList = "/sys/kernel/debug/kprobes/list"

// reach is how far into a function instructions are tried, in bytes.
const reach = 96

// patience is how long the kernel may take to put a jump in place of an int3.
// It does so some jiffies after the last change (optimize_kprobe: OPTIMIZE_DELAY)
// and once no task is in the way.
const patience = time.Second

// errNotListed means that the kernel does not say how a kprobe gets control.
var errNotListed = errors.New("the kernel does not say how a kprobe gets control (" + kprobeList + "; mount -t debugfs none /sys/kernel/debug)")

// settled waits until it is certain how a kprobe gets control, and gives that.
func settled(at target) (armed, error) {
	for end := time.Now().Add(patience); ; {
		now, err := control(at)
		if err != nil || now != byInt3 || time.Now().After(end) {
			return now, err
		}
		time.Sleep(patience / 50) // the kernel has no event for it
	}
}

// control says how a kprobe gets control, anyhow if it has another name in the
// list than the one that it was made with.
func control(at target) (armed, error) {
	b, err := os.ReadFile(kprobeList)
	if err != nil {
		return anyhow, fmt.Errorf("%w: %s", errNotListed, err.Error())
	}
	return parseControl(string(b), at), nil
}

// behindEndbr is where the kernel puts a kprobe that is asked for at the entry
// of a function that begins with endbr64 (arch_adjust_kprobe_addr of x86).
const behindEndbr = 4

// parseControl reads report_probe's lines (kernel/kprobes.c): address, k for
// kprobe, symbol+offset with the module behind it, flags. anyhow: it is not there.
func parseControl(list string, at target) armed {
	if how := controlAt(list, at); how != anyhow || at.offset != 0 {
		return how
	}
	at.offset = behindEndbr
	return controlAt(list, at)
}

func controlAt(list string, at target) armed {
	place := at.String()
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) < 3 || f[1] != "k" || f[2] != place {
			continue
		}
		switch {
		case strings.Contains(line, "[FTRACE]"):
			return byFtrace
		case strings.Contains(line, "[OPTIMIZED]"):
			return byJump
		}
		return byInt3
	}
	return anyhow
}

// callees are the functions that a call of getpgid runs through, where the
// kernel has them: the first one's wrapper is often too short for a jump.
func callees() []string { return []string{function(), "do_getpgid", "security_task_getpgid"} }

// inner are instructions of those functions that every call executes, by how a
// kprobe there gets control.
type inner struct {
	at    map[armed]target
	tried int   // instructions that take a kprobe
	err   error // why none does
}

// seek finds the instructions.
func (b *bench) seek(k kind) (in inner) {
	in.at = map[armed]target{}
	prog, err := k.mech.load(Simple, target{})
	if err != nil {
		in.err = err
		return in
	}
	defer prog.Close()
	p, err := caller.Start(b.dir, b.cpu)
	if err != nil {
		in.err = err
		return in
	}
	defer func() { in.err = errors.Join(in.err, p.Close()) }()
	for _, symbol := range callees() {
		if !in.search(b, k, symbol, prog, p) {
			break
		}
	}
	return in
}

// search looks through one function. The kernel itself says where instructions
// begin: it refuses other places. It tells whether to look further.
func (in *inner) search(b *bench, k kind, symbol string, prog *bpf.Work, p *caller.Process) bool {
	for offset := uint64(1); offset < reach; offset++ {
		if in.at[byJump] != (target{}) && in.at[byInt3] != (target{}) {
			return false
		}
		at := target{symbol: symbol, offset: offset}
		l, err := k.mech.put(prog.Prog, at)
		switch path := (*fs.PathError)(nil); {
		case errors.As(err, &path), errors.Is(err, fs.ErrPermission):
			in.err = err
			return false // no kprobes, or not for us
		case errors.Is(err, fs.ErrNotExist):
			return true // no such function
		case err != nil:
			if in.tried == 0 {
				in.err = err
			}
			continue
		}
		in.tried, in.err = in.tried+1, nil
		how, err := settled(at)
		all := false
		if err == nil {
			all, err = b.everyCall(p, prog)
		}
		if how != anyhow && in.at[how] == (target{}) && all {
			in.at[how] = at
		}
		if in.err = errors.Join(err, l.Close(), prog.Reset()); in.err != nil {
			return false
		}
	}
	return true
}

// everyCall tells whether an attached program runs at each call.
func (b *bench) everyCall(p *caller.Process, prog *bpf.Work) (bool, error) {
	const some = 100
	if _, err := p.Run(caller.Getpgid, some, 1); err != nil {
		return false, err
	}
	n, _, err := b.ranIn(prog, p)
	return n >= some, err
}

// place gives the spot for a kind that wants one, or why there is none.
func (in inner) place(k kind) (at target, unavailable string) {
	at, ok := in.at[k.armed]
	switch {
	case ok:
		return at, ""
	case errors.Is(in.err, errNotListed):
		return at, in.err.Error()
	case in.err != nil:
		return at, k.mech.explain(target{symbol: function(), offset: 1}, in.err)
	case k.armed == byJump:
		return at, fmt.Sprintf("the kernel put a jump at none of %d instructions that take a kprobe (CONFIG_OPTPROBES, sysctl debug.kprobes-optimization)", in.tried)
	}
	return at, fmt.Sprintf("none of %d instructions that take a kprobe stays an int3 and is executed by every call", in.tried)
}
