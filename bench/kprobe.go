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

// settled waits until a kprobe at symbol+offset has got how it gets control,
// and gives that.
func settled(symbol string, offset uint64) (armed, error) {
	for end := time.Now().Add(patience); ; {
		now, err := control(symbol, offset)
		if err != nil || now == byFtrace || now == byJump || time.Now().After(end) {
			return now, err
		}
		time.Sleep(patience / 50) // the kernel has no event for it
	}
}

// control says how the kprobe at symbol+offset gets control.
func control(symbol string, offset uint64) (armed, error) {
	b, err := os.ReadFile(kprobeList)
	if err != nil {
		return anyhow, fmt.Errorf("%w: %s", errNotListed, err.Error())
	}
	if how := parseControl(string(b), symbol, offset); how != anyhow {
		return how, nil
	}
	return anyhow, fmt.Errorf("%w: it is not in the list", errNotListed)
}

// parseControl reads report_probe's lines (kernel/kprobes.c): address, k for
// kprobe, symbol+offset with the module behind it, flags. anyhow: it is not there.
func parseControl(list, symbol string, offset uint64) armed {
	place := fmt.Sprintf("%s+%#x", symbol, offset)
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

// inner are the offsets of instructions of a function that every call executes,
// by how a kprobe there gets control.
type inner struct {
	at    map[armed]uint64
	tried int   // instructions that take a kprobe
	err   error // why none does
}

// seek finds the instructions. The kernel itself says where they begin: it
// refuses other places.
func (b *bench) seek(k kind) (in inner) {
	in.at = map[armed]uint64{}
	prog, err := k.load(Simple)
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
	for offset := uint64(1); offset < reach && len(in.at) < 2; offset++ {
		l, err := k.put(prog.Prog, p, offset)
		if err != nil {
			if in.tried == 0 {
				in.err = err
			}
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				return in // none will do
			}
			continue
		}
		in.tried, in.err = in.tried+1, nil
		how, err := settled(function(), offset)
		all := false
		if err == nil {
			all, err = everyCall(p, prog)
		}
		if _, found := in.at[how]; all && !found {
			in.at[how] = offset
		}
		if in.err = errors.Join(err, l.Close(), prog.Reset()); in.err != nil {
			return in
		}
	}
	return in
}

// everyCall tells whether an attached program runs at each call.
func everyCall(p *caller.Process, prog *bpf.Work) (bool, error) {
	const some = 100
	if _, err := p.Run(caller.Getpgid, some, 1); err != nil {
		return false, err
	}
	n, _, err := prog.Ran(uint32(p.PID()))
	return n == some, err
}

// place gives the offset for a kind that wants one, or why there is none.
func (in inner) place(k kind) (offset uint64, unavailable string) {
	offset, ok := in.at[k.armed]
	switch {
	case ok:
		return offset, ""
	case errors.Is(in.err, errNotListed):
		return 0, in.err.Error()
	case in.err != nil:
		return 0, k.explain(1, in.err)
	case k.armed == byJump:
		return 0, fmt.Sprintf("the kernel put a jump at none of %d instructions that take a kprobe (CONFIG_OPTPROBES, sysctl debug.kprobes-optimization)", in.tried)
	}
	return 0, fmt.Sprintf("none of %d instructions that take a kprobe and every call executes stays an int3", in.tried)
}
