package hook

import "strings"

// spelling is one way to write a kind.
type spelling struct {
	name string
	kind Kind
}

// bpftraceKinds are the kinds as bpftrace writes them, before a colon.
// The first spelling of a kind is the canonical one.
var bpftraceKinds = []spelling{
	{"uprobe", Uprobe}, {"u", Uprobe},
	{"uretprobe", Uretprobe}, {"ur", Uretprobe},
	{"kprobe", Kprobe}, {"k", Kprobe},
	{"kretprobe", Kretprobe}, {"kr", Kretprobe},
	{"fentry", Fentry}, {"kfunc", Fentry}, {"f", Fentry},
	{"fexit", Fexit}, {"kretfunc", Fexit}, {"fr", Fexit},
	{"tracepoint", Tracepoint}, {"t", Tracepoint},
	{"rawtracepoint", RawTracepoint}, {"rt", RawTracepoint},
	{"lsm", LSM},
	{"kprobe.multi", KprobeMulti}, {"kretprobe.multi", KretprobeMulti}, // these four are not bpftrace's
	{"ksyscall", Ksyscall}, {"kretsyscall", Kretsyscall},
}

// sectionKinds are the kinds as libbpf writes them in SEC(), before a slash.
// Flavours at the end (".s", sleepable) are taken off first.
var sectionKinds = []spelling{
	{"uprobe", Uprobe}, {"uretprobe", Uretprobe},
	{"kprobe", Kprobe}, {"kretprobe", Kretprobe},
	{"fentry", Fentry}, {"fexit", Fexit},
	{"tp", Tracepoint}, {"tracepoint", Tracepoint},
	{"raw_tp", RawTracepoint}, {"raw_tracepoint", RawTracepoint}, {"tp_btf", RawTracepoint},
	{"lsm", LSM}, {"lsm_cgroup", LSM},
	{"kprobe.multi", KprobeMulti}, {"kprobe.session", KprobeMulti}, {"kretprobe.multi", KretprobeMulti},
	{"ksyscall", Ksyscall}, {"kretsyscall", Kretsyscall},
	{"fsession", Fentry}, // entry and exit in one; Linux 7.0
}

// foreignKinds are real kinds of probes that are no function hooks, so that
// the error can say more than "unknown".
var foreignKinds = []string{
	"usdt", "U", "profile", "p", "interval", "i", "hardware", "h", "software", "s",
	"watchpoint", "w", "asyncwatchpoint", "aw", "iter", "it", "BEGIN", "END", "self",
	"fmod_ret", "freplace", "xdp", "perf_event", "tc", "struct_ops",
}

func lookup(table []spelling, name string) (Kind, bool) {
	for _, s := range table {
		if s.name == name {
			return s.kind, true
		}
	}
	return "", false
}

func foreign(name string) bool {
	for _, f := range foreignKinds {
		if f == name {
			return true
		}
	}
	return false
}

// sectionKind looks up a libbpf kind, with flavours: "uprobe.multi.s" is an
// uprobe as far as the place is concerned.
func sectionKind(name string) (Kind, bool) {
	name = strings.TrimSuffix(name, ".s")
	if k, ok := lookup(sectionKinds, name); ok {
		return k, true
	}
	for _, flavour := range []string{".s", ".w", ".multi", ".session"} {
		name = strings.TrimSuffix(name, flavour)
	}
	return lookup(sectionKinds, name)
}

// nearestKind finds the full spelling that is closest to name, or "".
func nearestKind(name string) string {
	best, at := "", 3 // two typing errors at most
	for _, s := range bpftraceKinds {
		if len(s.name) < 3 {
			continue
		}
		if d := Distance(strings.ToLower(name), s.name); d < at && d < len(s.name)/2+1 {
			best, at = s.name, d
		}
	}
	return best
}

// Distance is the number of insertions, deletions, replacements and swaps of
// neighbours that make a into b, in bytes. It is what "did you mean" uses.
func Distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
