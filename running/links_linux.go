package running

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	bpflink "github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/hook"
)

// Bits of link flags (include/uapi/linux/bpf.h).
const (
	kprobeMultiReturn = 1 // BPF_F_KPROBE_MULTI_RETURN
	uprobeMultiReturn = 1 // BPF_F_UPROBE_MULTI_RETURN
)

// links lists the links of programs that trace.
func (r *reader) links() error {
	r.readPins()
	it := &bpflink.Iterator{}
	defer it.Close()
	for it.Next() {
		info, err := it.Link.Info()
		if err != nil {
			r.Unread = append(r.Unread, Unread{fmt.Sprintf("link %d", it.ID), err.Error()})
			continue
		}
		if r.Program(uint32(info.Program)) == nil {
			continue // of another kind of program, or of one loaded since
		}
		a := Attachment{Program: uint32(info.Program), Link: uint32(it.ID)}
		a.Owners, a.Pins = r.holders.of(link, a.Link), r.pins[pin{link, a.Link}]
		r.link(&a, info)
		r.Attachments = append(r.Attachments, a)
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("listing BPF links: %w", err)
	}
	return nil
}

func (r *reader) link(a *Attachment, info *bpflink.Info) {
	a.Missed = Counter{NotKnown: "the kernel does not count it for this kind of link"}
	switch info.Type {
	case bpflink.KprobeMultiType:
		a.Mechanism = KprobeMulti
		r.kprobeMulti(a, info.KprobeMulti())
	case bpflink.UprobeMultiType:
		a.Mechanism = UprobeMulti
		r.uprobeMulti(a, info.UprobeMulti())
	case bpflink.PerfEventType:
		a.Mechanism = PerfLink
		r.perfEvent(a, info.PerfEvent())
	case bpflink.RawTracepointType:
		a.Mechanism = RawLink
		a.Places = []Place{{Kind: hook.RawTracepoint, Name: info.RawTracepoint().Name}}
	case bpflink.TracingType:
		a.Mechanism = TracingLink
		r.tracing(a, info.Tracing())
	case bpflink.IterType:
		a.Mechanism, a.NotKnown = IteratorLink, "it walks over objects of the kernel when it is read; nothing is hooked"
	default:
		a.Mechanism, a.NotKnown = OtherLink, fmt.Sprintf("links of type %d are not known here", info.Type)
	}
}

func (r *reader) kprobeMulti(a *Attachment, info *bpflink.KprobeMultiInfo) {
	a.Missed = r.missed(info.Missed)
	kind := hook.KprobeMulti
	if info.Flags&kprobeMultiReturn != 0 {
		kind = hook.KretprobeMulti
	}
	addrs, ok := info.Addresses()
	if !ok || len(addrs) == 0 {
		a.NotKnown = "this kernel does not say which functions; Linux 6.6 and later do"
		return
	}
	for _, at := range addrs {
		if at.Address == 0 {
			a.Places, a.NotKnown = nil, fmt.Sprintf("the kernel hides the addresses of %d functions; sysctl kernel.kptr_restrict=1 shows them to root", len(addrs))
			return
		}
		a.Places = append(a.Places, Place{Kind: kind, Address: at.Address})
	}
}

func (r *reader) uprobeMulti(a *Attachment, info *bpflink.UprobeMultiInfo) {
	a.PID, _ = info.Pid()
	kind := hook.Uprobe
	if info.Flags&uprobeMultiReturn != 0 {
		kind = hook.Uretprobe
	}
	offsets, ok := info.Offsets()
	if !ok || info.File == "" {
		a.NotKnown = "this kernel does not say which places; Linux 6.8 and later do"
		return
	}
	f := r.file(info.File, a.Owners)
	// d_path of a file without a name (fs/d_path.c).
	f.Path, f.Deleted = strings.CutSuffix(f.Path, " (deleted)")
	f.Open = strings.TrimSuffix(f.Open, " (deleted)")
	for _, at := range offsets {
		a.Places = append(a.Places, Place{Kind: kind, Offset: at.Offset, File: f})
	}
}

func (r *reader) perfEvent(a *Attachment, info *bpflink.PerfEventInfo) {
	switch info.Type {
	case bpflink.PerfEventKprobe, bpflink.PerfEventKretprobe:
		k := info.Kprobe()
		a.Missed = r.missed(k.Missed)
		p := Place{Kind: hook.Kprobe, Name: k.Function, Offset: uint64(k.Offset), Address: k.Address}
		if info.Type == bpflink.PerfEventKretprobe {
			p.Kind = hook.Kretprobe
		}
		a.Places = []Place{p}
	case bpflink.PerfEventUprobe, bpflink.PerfEventUretprobe:
		u := info.Uprobe()
		p := Place{Kind: hook.Uprobe, Offset: uint64(u.Offset), File: r.file(u.File, a.Owners)}
		if info.Type == bpflink.PerfEventUretprobe {
			p.Kind = hook.Uretprobe
		}
		a.Places = []Place{p}
	case bpflink.PerfEventTracepoint:
		a.Places = []Place{{Kind: hook.Tracepoint, Name: info.Tracepoint().Tracepoint}}
	case bpflink.PerfEventEvent:
		a.NotKnown = fmt.Sprintf("a counter or timer (perf event of type %d, %#x); nothing is hooked", info.Event().Type, info.Event().Config)
	default: // filled in from the perf event itself, if a process holds it
		a.NotKnown = "this kernel does not say of links of perf events where they are; Linux 6.6 and later do"
	}
}

func (r *reader) tracing(a *Attachment, info *bpflink.TracingInfo) {
	if info.TargetBtfId == 0 {
		a.NotKnown = "this kernel does not say which function; Linux 5.13 and later do"
		return
	}
	kinds := map[ebpf.AttachType]hook.Kind{
		ebpf.AttachTraceFEntry: hook.Fentry, ebpf.AttachTraceFExit: hook.Fexit, ebpf.AttachModifyReturn: hook.Fentry,
		ebpf.AttachLSMMac: hook.LSM, ebpf.AttachLSMCgroup: hook.LSM,
	}
	place, why := r.targets.find(info.TargetObjectId, uint32(info.TargetBtfId))
	switch r.ofProgram[a.Program] {
	case yes:
		why = "a function of a BPF program is hooked, no function of the kernel"
	case unclear:
		if why == "" && r.isProgram(info.TargetObjectId) {
			why = "a function of the kernel or of a BPF program is hooked; Linux 6.0 and later say which"
		}
	}
	if a.NotKnown = why; why != "" {
		return
	}
	if place.Kind = kinds[ebpf.AttachType(info.AttachType)]; place.Kind == "" {
		a.NotKnown = fmt.Sprintf("attach type %d is not known here", info.AttachType)
		return
	}
	if place.Kind == hook.LSM {
		place.Name = strings.TrimPrefix(place.Name, "bpf_lsm_")
	}
	a.Places = []Place{place}
}

// file says how a path is opened here that one of the owners gave.
func (r *reader) file(path string, owners []Owner) File {
	f := File{Path: path, Open: path}
	if len(owners) == 0 {
		return f
	}
	dir := filepath.Join(r.proc, strconv.Itoa(owners[0].PID))
	own, isOwn := strings.CutPrefix(path, "/proc/self/")
	switch {
	case isOwn: // as libraries give a file that they have open
		f.Open = filepath.Join(dir, own)
	case !filepath.IsAbs(path):
		f.Open = filepath.Join(dir, "cwd", path)
	case !sameRoot(dir, filepath.Join(r.proc, "self")):
		f.Open = filepath.Join(dir, "root", path)
	}
	return f
}
