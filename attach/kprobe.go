//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/unix"
)

// kprobes attaches by perf events, one kprobe a breakpoint: what works at any
// instruction of the kernel. It does not go through a library's call, which
// tries other names when the kernel refuses one and then reports that error.
type kprobes struct {
	objs   *bpf.Objects
	cookie bool // bpf_get_attach_cookie exists, Linux 5.15
}

var errNoKprobes = errors.New("this kernel has no kprobe events (CONFIG_KPROBE_EVENTS)")

// link makes one kprobe.
func (p kprobes) link(b breakpoint) (io.Closer, error) {
	symbol, offset := b.symbol, b.offset
	if b.address != 0 {
		symbol, offset = "", b.address+b.offset
	}
	event, err := unix.OpenKprobe(symbol, offset, b.ret)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return nil, fmt.Errorf("%w: %w: %w", ErrNotSupported, errNoKprobes, err)
	}
	if err != nil {
		return nil, err
	}
	l := kprobe{event: event, link: -1}
	if p.cookie {
		if l.link, err = unix.LinkPerfEvent(p.objs.Hit.FD(), event, b.cookie()); err == nil {
			err = unix.EnablePerfEvent(event)
		}
	} else {
		prog, e := p.objs.Fixed(b.cookie())
		if err = e; err == nil {
			err = unix.RunOnPerfEvent(prog.FD(), event)
		}
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// kprobe is an attached one.
type kprobe struct{ event, link int }

// Close takes the kprobe out.
func (k kprobe) Close() error {
	var err error
	if k.link >= 0 {
		err = unix.CloseFD(k.link)
	}
	return errors.Join(err, unix.CloseFD(k.event))
}

// explainKprobe says in plain words why the kernel refused a kprobe
// (kernel/kprobes.c, kernel/trace/trace_kprobe.c).
func explainKprobe(b breakpoint, err error) string {
	switch {
	case errors.Is(err, errNoKprobes):
		return errNoKprobes.Error()
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ESRCH):
		return "the running kernel has no symbol of this name: renamed, inlined everywhere, or in a module that is not loaded"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "the running kernel has several functions of this name and takes none of them by name (their addresses are not known: kernel.kptr_restrict)"
	case errors.Is(err, syscall.EILSEQ):
		return "no instruction begins there in the running kernel: the offset is for another build"
	case errors.Is(err, syscall.EINVAL) && b.ret && b.offset != 0:
		return "a return probe must be at a function's entry"
	case errors.Is(err, syscall.EINVAL):
		return "the kernel refuses a kprobe there: the function is on its blacklist (kprobes itself, entry code, noinstr), notrace, " +
			"or the place is changed at run time (a jump label, ftrace's own call)"
	case errors.Is(err, syscall.EBUSY):
		return "something else holds the place (a live patch, or ftrace)"
	}
	return err.Error()
}
