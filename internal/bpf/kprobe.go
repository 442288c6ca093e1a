//go:build linux && (amd64 || arm64)

package bpf

import (
	"errors"
	"io"

	"github.com/cilium/ebpf"

	"github.com/surehook/surehook/internal/unix"
)

// AttachKprobe puts a program on a kprobe at symbol+offset, or a kretprobe.
// Without a symbol offset is the address. It does not go through the library's
// call, which tries other names when the kernel refuses one and then reports
// that error. A cookie requires at least Linux 5.15; nil: none. The errors are
// those of unix.OpenKprobe.
func AttachKprobe(prog *ebpf.Program, symbol string, offset uint64, ret bool, cookie *uint64) (io.Closer, error) {
	event, err := unix.OpenKprobe(symbol, offset, ret)
	if err != nil {
		return nil, err
	}
	l := kprobe{event: event, link: -1}
	if cookie == nil {
		err = unix.RunOnPerfEvent(prog.FD(), event)
	} else if l.link, err = unix.LinkPerfEvent(prog.FD(), event, *cookie); err == nil {
		err = unix.EnablePerfEvent(event)
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
