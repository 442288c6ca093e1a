package bpfobj

import (
	"cmp"
	"strings"

	"github.com/surehook/surehook/hook"
)

// programType says what a section's name makes of its programs.
type programType struct {
	prefix string
	// target: a name may follow after a slash.
	target bool
	traces bool   // a tracing program, which surehook judges
	unread string // why a place that it names is not judged; "" if it is
}

// notJudged are kinds of tracing programs whose place is not one of package
// hook's.
const (
	noUSDT    = "places of USDT probes are in notes of the binary, which are not read yet"
	noIter    = "a program that is called for each object when its file is read; it is on no function"
	noModify  = "fmod_ret: which functions let their result be modified is not known"
	noReplace = "it replaces a function of another BPF program, which is not known here"
)

// programTypes is what libbpf makes of section names, the longest first where
// one begins another (tools/lib/bpf/libbpf.c, section_defs).
func programTypes() []programType {
	on := func(unread string, prefixes ...string) []programType {
		var out []programType
		for _, p := range prefixes {
			out = append(out, programType{prefix: p, target: true, traces: true, unread: unread})
		}
		return out
	}
	all := on("", "kprobe", "kretprobe", "kprobe.multi", "kretprobe.multi", "kprobe.session", "ksyscall", "kretsyscall",
		"uprobe", "uprobe.s", "uretprobe", "uretprobe.s", "uprobe.multi", "uprobe.multi.s", "uretprobe.multi", "uretprobe.multi.s",
		"uprobe.session", "uprobe.session.s", "tracepoint", "tracepoint.s", "tp", "tp.s", "raw_tracepoint", "raw_tracepoint.s", "raw_tp", "raw_tp.s",
		"raw_tracepoint.w", "raw_tp.w", "tp_btf", "tp_btf.s", "fentry", "fentry.s", "fexit", "fexit.s", "fsession", "fsession.s",
		"lsm", "lsm.s", "lsm_cgroup")
	all = append(all, on(noUSDT, "usdt", "usdt.s")...)
	all = append(all, on(noIter, "iter", "iter.s")...)
	all = append(all, on(noModify, "fmod_ret", "fmod_ret.s")...)
	all = append(all, on(noReplace, "freplace")...)
	for _, p := range []string{"perf_event", "syscall"} {
		all = append(all, programType{prefix: p, traces: true})
	}
	for _, p := range []string{"tc", "tcx", "netkit", "xdp", "xdp.frags", "cgroup", "cgroup_skb", "sk_skb", "struct_ops", "struct_ops.s"} {
		all = append(all, programType{prefix: p, target: true})
	}
	for _, p := range []string{"classifier", "action", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sockops", "sk_msg", "lirc_mode2",
		"flow_dissector", "sk_lookup", "sk_reuseport", "netfilter", "socket"} {
		all = append(all, programType{prefix: p})
	}
	return all
}

// placed is what a section's name says of the programs in it.
type placed struct {
	hooks    []hook.Hook
	unknown  string // why there are no hooks
	optional bool
	skip     string // why the program is not judged at all
}

// sectionPlace reads a section's name.
func sectionPlace(section string) placed {
	name, optional := strings.CutPrefix(section, "?")
	p := placed{optional: optional}
	kind, target, slash := strings.Cut(name, "/")
	known, ok := programType{}, false
	for _, t := range programTypes() {
		if t.prefix == kind {
			known, ok = t, true
		}
	}
	switch {
	case !ok:
		p.skip = "libbpf knows no section of that name"
	case !known.traces:
		p.skip = "not a tracing program (" + kind + ")"
	case known.unread != "":
		p.unknown = known.unread
	case !known.target:
		p.unknown = "its loader attaches it (" + kind + ")"
	case !slash || target == "":
		p.unknown = "its loader says where it is attached, at run time"
	default:
		h, err := hook.Parse(spelling(kind, target))
		if err != nil {
			p.skip = "the section's name cannot be read: " + err.Error()
			return p
		}
		h.Text = section
		p.hooks = []hook.Hook{h}
	}
	return p
}

// spelling is the section as package hook reads it. Sleepable and writing
// programs are on the same places as others.
func spelling(kind, target string) string {
	kind = strings.TrimSuffix(kind, ".s")
	if w := strings.TrimSuffix(kind, ".w"); w != kind {
		kind = w
	}
	return cmp.Or(kind, "?") + "/" + target
}
