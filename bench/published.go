package bench

// PublishedFigure is one of a table that others have published.
type PublishedFigure struct {
	Name string  `json:"name"` // as they call the hookpoint
	Kind string  `json:"kind"` // the kind here that is the same
	Work Work    `json:"work"`
	Cost float64 `json:"cost"` // ns
}

// PublishedUntraced is the untraced call of Published, in ns.
const PublishedUntraced = 117

// PublishedSource says where Published is from, and what differs from here.
const PublishedSource = "cloudflare/ebpf_exporter, benchmark/README.md: getpid on an Apple M1, Linux 6.5-rc1 in QEMU. " +
	"Its tracepoint is a tp_btf program on sys_enter, which all system calls run, no perf tracepoint; " +
	"it has one run and no intervals, and does not count calls lost."

// Published is the table that is usually cited. Its works are those of this
// package, with maps of 1024 entries.
func Published() []PublishedFigure {
	var out []PublishedFigure
	for _, row := range []struct {
		name, kind string
		cost       [3]float64 // by Works
	}{
		{"tracepoint", "tp_btf", [3]float64{15, 35, 96}},
		{"fentry", "fentry", [3]float64{24, 42, 103}},
		{"kprobe", "kprobe", [3]float64{137, 160, 229}},
	} {
		for i, w := range Works() {
			out = append(out, PublishedFigure{Name: row.name, Kind: row.kind, Work: w, Cost: row.cost[i]})
		}
	}
	return out
}
