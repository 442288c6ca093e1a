//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/surehook/surehook/internal/bpf"
)

// kprobes attaches by perf events, one kprobe a breakpoint: what works at any
// instruction of the kernel.
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
	prog, cookie := p.objs.Hit, b.cookie()
	if !p.cookie {
		var err error
		if prog, err = p.objs.Fixed(cookie); err != nil {
			return nil, err
		}
	}
	l, err := bpf.AttachKprobe(prog, symbol, offset, b.ret, p.given(cookie))
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return nil, fmt.Errorf("%w: %w: %w", ErrNotSupported, errNoKprobes, err)
	}
	return l, err
}

// given is the cookie as the kernel gets it.
func (p kprobes) given(cookie uint64) *uint64 {
	if !p.cookie {
		return nil
	}
	return &cookie
}

// explainKprobe says in plain words why the kernel refused a kprobe
// (kernel/kprobes.c, kernel/trace/trace_kprobe.c).
func explainKprobe(b breakpoint, err error) string {
	switch {
	case errors.Is(err, errNoKprobes), errors.As(err, new(*fs.PathError)): // no such PMU
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
