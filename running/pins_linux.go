package running

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"
	bpfpin "github.com/cilium/ebpf/pin"
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
	for line := range strings.Lines(string(mounts)) {
		// proc_pid_mountinfo(5): the mount point is the fifth field, the
		// type comes behind a lone hyphen.
		before, after, ok := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if !ok || len(f) < 5 || !strings.HasPrefix(after, "bpf ") {
			continue
		}
		r.pinsBelow(unescape(f[4]))
	}
}

// unescape undoes the octal escapes of mountinfo.
func unescape(name string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(name)
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
