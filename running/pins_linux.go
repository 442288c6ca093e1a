package running

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"
	bpfpin "github.com/cilium/ebpf/pin"

	"github.com/surehook/surehook/internal/unix"
)

type pin held

// pins are the names of programs and links in file systems.
type pins map[pin][]string

// readPins looks through every mounted BPF file system.
func (r *reader) readPins() {
	r.pins = pins{}
	mounts, err := os.ReadFile(filepath.Join(r.proc, "self/mountinfo"))
	if err != nil {
		r.Unread = append(r.Unread, Unread{"pins", err.Error()})
		return
	}
	for _, m := range unix.ParseMounts(string(mounts)) {
		if m.Type == "bpf" {
			r.pinsBelow(m.Point)
		}
	}
}

func (r *reader) pinsBelow(dir string) {
	unread := func(path string, err error) { r.Unread = append(r.Unread, Unread{path, err.Error()}) }
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				unread(path, err)
			}
			return nil
		}
		object, err := bpfpin.Load(path, nil)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			unread(path, err)
			return nil
		}
		defer object.Close()
		if err := r.pinned(path, object); err != nil {
			unread(path, err)
		}
		return nil
	})
	if err != nil {
		unread(dir, err)
	}
}

func (r *reader) pinned(path string, object bpfpin.Pinner) error {
	switch o := object.(type) {
	case *ebpf.Program:
		info, err := o.Info()
		if err != nil {
			return err
		}
		if id, ok := info.ID(); ok {
			key := pin{program, uint32(id)}
			r.pins[key] = append(r.pins[key], path)
		}
	case bpflink.Link:
		info, err := o.Info()
		if err != nil {
			return err
		}
		key := pin{link, uint32(info.ID)}
		r.pins[key] = append(r.pins[key], path)
	}
	return nil
}
