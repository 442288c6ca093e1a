//go:build linux

package running

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/unix"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFDInfo: a link's descriptor has the number of its program too.
func TestFDInfo(t *testing.T) {
	for text, want := range map[string]held{
		"pos:\t0\nprog_type:\t2\nprog_id:\t101\n":                       {program, 101},
		"link_type:\tperf\nlink_id:\t7\nprog_tag:\tab\nprog_id:\t101\n": {link, 7},
		"pos:\t0\nflags:\t02000002\n":                                   {},
		"prog_id:\t101\nlink_id:\t7\n":                                  {link, 7},
	} {
		if got, err := fdInfo(write(t, "fdinfo", text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if _, err := fdInfo(write(t, "fdinfo", "prog_id:\tx\n")); err == nil {
		t.Error("no number")
	}
}

// TestResolve: addresses get the name of the symbol before them; an entry
// behind an endbr is an entry.
func TestResolve(t *testing.T) {
	proc := filepath.Dir(write(t, "kallsyms", "ffffffff81000000 T _stext\nffffffff81000100 t vfs_read\nffffffff81000180 D data\nffffffffc0000000 t f\t[xfs]\n"))
	r := &reader{proc: proc}
	r.Attachments = []Attachment{{Places: []Place{
		{Kind: hook.KprobeMulti, Address: 0xffffffff81000104}, {Kind: hook.Kprobe, Address: 0xffffffff81000190},
		{Kind: hook.Kprobe, Address: 0xffffffffc0000008}, {Kind: hook.Kprobe, Address: 1}, {Kind: hook.Kprobe, Address: 9, Name: "kept"},
	}}}
	if err := r.resolve(); err != nil {
		t.Fatal(err)
	}
	want := []Place{
		{Name: "vfs_read"}, {Name: "vfs_read", Offset: 0x90}, {Name: "f", Module: "xfs", Offset: 8}, {}, {Name: "kept"},
	}
	for i, p := range r.Attachments[0].Places {
		if w := want[i]; p.Name != w.Name || p.Module != w.Module || p.Offset != w.Offset {
			t.Errorf("%#x: %+v", p.Address, p)
		}
	}
}

// TestEvents: what a link has told is not told again by its perf event; of a
// program on several events there is one attachment for each place.
func TestEvents(t *testing.T) {
	r := &reader{proc: "/proc"}
	r.Programs = []Program{{ID: 1}}
	r.Attachments = []Attachment{{Program: 1, Mechanism: PerfLink, Link: 3, Places: []Place{{Kind: hook.Tracepoint, Name: "a"}}}}
	for _, e := range []struct {
		pid  int
		name string
	}{{5, "a"}, {5, "b"}, {6, "b"}, {5, "b"}} {
		r.event(Owner{PID: e.pid}, unix.FDEvent{Program: 1, Kind: unix.FDTracepoint, Name: e.name})
	}
	r.event(Owner{PID: 5}, unix.FDEvent{Program: 2, Kind: unix.FDTracepoint, Name: "a"})
	if len(r.Attachments) != 2 || len(r.Attachments[1].Owners) != 2 || r.Attachments[1].Mechanism != PerfIoctl {
		t.Errorf("%+v", r.Attachments)
	}
	r.event(Owner{PID: 5}, unix.FDEvent{Program: 1, Kind: unix.FDKprobe})
	if a := r.Attachments[2]; a.NotKnown == "" || len(a.Places) != 0 {
		t.Errorf("%+v", a)
	}
}
