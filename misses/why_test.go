package misses

import (
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/running"
)

// whyKernel is a kernel in which bpf_trace_printk passes its tracepoint.
func whyKernel() *kernel.Snapshot {
	s := &kernel.Snapshot{ID: kernel.Identity{Name: "k"}}
	for _, n := range []string{"f", "bpf_trace_printk", "__traceiter_bpf_trace_printk"} {
		s.Functions = append(s.Functions, kernel.Function{Name: n, BTF: kernel.Yes, Symbols: []kernel.Symbol{{Name: n, Traceable: kernel.Yes}}})
	}
	s.Edges = []kernel.Call{{Caller: "bpf_trace_printk", Callee: "__traceiter_bpf_trace_printk", Made: kernel.Always}}
	s.Events = []kernel.Tracepoint{{System: "bpf_trace", Name: "bpf_trace_printk", Raw: "bpf_trace_printk"}, {System: "a", Name: "x"}, {System: "b", Name: "x"}}
	s.Sort()
	return s
}

func TestWhy(t *testing.T) {
	none := running.Counter{NotKnown: "none"}
	inv := &running.Inventory{
		Programs: []running.Program{
			{ID: 1}, {ID: 2, Skipped: running.Counter{N: 5}}, {ID: 3}, {ID: 4, Skipped: running.Counter{N: 1}}, {ID: 5},
		},
		Attachments: []running.Attachment{
			{Program: 1, Link: 1, Places: []running.Place{{Kind: hook.Kprobe, Name: "f"}}},
			{Program: 2, Link: 2, Places: []running.Place{{Kind: hook.Tracepoint, Name: "bpf_trace_printk"}}, Missed: none},
			{Program: 3, Link: 3, Places: []running.Place{{Kind: hook.Kretprobe, Name: "f"}}, Missed: running.Counter{N: 2}},
			{Program: 4, Link: 4, Places: []running.Place{{Kind: hook.RawTracepoint, Name: "bpf_trace_printk"}}, Missed: none},
			{Program: 5, Link: 5, Places: []running.Place{{Kind: hook.Fentry, Name: "f"}}, Missed: none},
		},
	}
	rows := Account(inv, tested(t), true)
	c := Clues{
		Fleet: check.NewFleet([]kernel.Kernel{whyKernel()}, nil), Categories: Categories(whyKernel().Events),
		Calls:   map[uint32][]string{1: {"bpf_trace_printk"}, 2: {}, 3: {}, 4: {}, 5: {}},
		Kprobes: map[string]string{"f": "ffffffff81000000  r  f+0x0    [FTRACE]"},
	}
	if c.Categories["x"] != "" {
		t.Error("an event that two categories have is of one")
	}
	reasons, err := Why(inv, rows, c)
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint32][]string{
		2: {"tracepoint:bpf_trace:bpf_trace_printk is skipped when the program of kprobe:f calls bpf_trace_printk", "another program ran on the CPU: 2 attachments"},
		3: {"maxactive", "done by ftrace"},
		4: {"ran itself"},
	}
	if len(reasons) != len(want) {
		t.Errorf("%d programs have reasons, want %d", len(reasons), len(want))
	}
	for _, r := range reasons {
		for _, text := range want[r.Program] {
			if !slices.ContainsFunc(r.Causes, func(c Cause) bool { return strings.Contains(c.Text, text) }) {
				t.Errorf("program %d: no cause with %q in %+v", r.Program, text, r.Causes)
			}
		}
		if r.Program == 2 && !strings.Contains(r.Instead, "rawtracepoint:bpf_trace_printk") {
			t.Errorf("program 2: way out %q", r.Instead)
		}
	}
	c.Fleet, c.NoCalls = nil, "no atlas"
	if reasons, err = Why(inv, rows, c); err != nil || !slices.ContainsFunc(reasons[0].Causes, func(c Cause) bool { return strings.Contains(c.Text, "no atlas") }) {
		t.Errorf("without calls: %v %+v", err, reasons)
	}
	var b strings.Builder
	if err := WriteReasons(&b, &Sample{Programs: rows}, reasons); err != nil || !strings.Contains(b.String(), "missed") {
		t.Errorf("%v %q", err, b.String())
	}
}
