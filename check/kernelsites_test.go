package check

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// guard makes programs on trampolines safe from themselves.
func guard(s *kernel.Snapshot) {
	s.Defs = append(s.Defs, kernel.Definition{Name: "bpf_prog", Kind: kernel.Struct, Members: []kernel.Member{{Name: "active"}}})
	s.Sort()
}

func withNamesakes(s *kernel.Snapshot) {
	edit(s, "sel", func(f *kernel.Function) { f.Copies = []kernel.Copy{{Caller: "twice", Offset: 0x10, Address: 0x510}} })
}

// TestPlaces: how each place is attached, and what cannot be.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		name, hook string
		change     func(*kernel.Snapshot)
		places     []string // symbol+offset: ways
		lost       string   // in the plan's losses
	}{
		{"plain", "kprobe:plain", guard, []string{"*entry plain+0: fentry kprobe.multi kprobe"}, ""},
		{"returns", "kretprobe:plain", guard, []string{"*entry plain+0: fexit kretprobe.multi kretprobe"}, ""},
		{"before 5.12", "kprobe:plain", nil, []string{"*entry plain+0: kprobe.multi kprobe fentry"}, ""},
		{"fentry before 5.12", "fentry:plain", nil, []string{"*entry plain+0: fentry kprobe"}, ""},
		{"asked for multi", "kprobe.multi:plain", guard, []string{"*entry plain+0: kprobe.multi fentry kprobe"}, ""},
		{"no fprobe", "kprobe:plain", func(s *kernel.Snapshot) { guard(s); delete(s.Options, "CONFIG_FPROBE") }, []string{"*entry plain+0: fentry kprobe"}, ""},
		{"not in BTF", "kprobe:nobtf", guard, []string{"*entry nobtf+0: kprobe.multi kprobe"}, ""},
		{"notrace", "kprobe:dark", func(s *kernel.Snapshot) { guard(s); s.Options["CONFIG_KPROBE_EVENTS_ON_NOTRACE"] = "y" }, []string{"*entry dark+0: kprobe"}, ""},
		{"clones", "kprobe:both", guard, []string{"*entry both+0: fentry kprobe.multi kprobe", "clone both.constprop.0+0: kprobe.multi kprobe"}, ""},
		{"clone by name", "kprobe:isra.isra.0", guard, []string{"*clone isra.isra.0+0: kprobe.multi kprobe"}, ""},
		{"part by name", "kprobe:split.part.0", guard, []string{"*entry split.part.0+0: kprobe.multi kprobe"}, ""},
		{"copies", "fentry:sel", guard, []string{"*entry sel+0: fentry kprobe", "inlined caller+16: kprobe"}, ""},
		{"copies' returns", "fexit:sel", guard, []string{"*entry sel+0: fexit kretprobe"}, "caller: inlined copy, whose return no probe sees"},
		{"copies where kprobes are refused", "kprobe:full", guard, []string{"inlined caller+4: kprobe"}, "black: inlined copy: the kernel refuses kprobes in black"},
		{"copies without kprobes", "kprobe:sel", func(s *kernel.Snapshot) { guard(s); delete(s.Options, "CONFIG_KPROBE_EVENTS") },
			[]string{"entry sel+0: fentry kprobe.multi"}, "caller: inlined copy: this kernel has no kprobes"},
		{"namesakes", "kprobe:twice", guard, []string{"entry twice+0 at 0x400: kprobe.multi kprobe", "entry twice+0 at 0x500: kprobe.multi kprobe"}, ""},
		{"namesakes without addresses", "kprobe:twice", func(s *kernel.Snapshot) {
			edit(s, "twice", func(f *kernel.Function) { f.Symbols[0].Address, f.Symbols[1].Address = 0, 0 })
		}, nil, "several symbols are named twice, and the kernel's addresses are not known"},
		{"copy in one of namesakes", "kprobe:sel", withNamesakes, []string{"*entry sel+0: kprobe.multi kprobe fentry", "inlined twice+16 at 0x510: kprobe"}, ""},
		{"inside", "kprobe:plain+4", guard, []string{"*offset plain+4: kprobe"}, ""},
		{"system call", "ksyscall:open", guard, []string{"*entry __x64_sys_open+0: fentry kprobe.multi kprobe"}, ""},
		{"tracepoint", "tracepoint:fs:opened", guard, []string{"*event fs:opened+0: tracepoint"}, ""},
		{"raw tracepoint", "rawtracepoint:opened", guard, []string{"*event opened+0: rawtracepoint"}, ""},
		{"lsm", "lsm:file_open", guard, []string{"*event file_open+0: lsm"}, ""},
		{"no lsm", "lsm:file_open", func(s *kernel.Snapshot) { s.Options["CONFIG_LSM"] = `"lockdown"` }, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := world("k")
			if tt.change != nil {
				tt.change(s)
			}
			r, ok, err := NewPlanner(s).Places(parse(t, tt.hook))
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			var places []string
			for _, p := range r.Sites {
				places = append(places, describe(p))
			}
			if diff := cmp.Diff(tt.places, places); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			var lost []string
			for _, l := range r.PlanLost {
				lost = append(lost, l.Caller+": "+l.Why)
			}
			if text := strings.Join(lost, "\n"); !strings.Contains(text, tt.lost) || (text == "") != (tt.lost == "") {
				t.Errorf("lost %q, want %q", text, tt.lost)
			}
			if lossless := r.Plan.Verdict == sites.Complete || r.Plan.Verdict == sites.Unknown; lossless != (tt.lost == "") && tt.places != nil {
				t.Errorf("plan %s, lost %q", r.Plan.Verdict, lost)
			}
		})
	}
}

func describe(p sites.Site) string {
	text := string(p.Kind) + " " + p.Symbol + fmt.Sprintf("+%d", p.Offset)
	if p.Plain {
		text = "*" + text
	}
	if p.Namesake {
		text += fmt.Sprintf(" at %#x", p.Address)
	}
	return text + ": " + strings.Join(kindWords(p.Ways), " ")
}

func kindWords(kinds []hook.Kind) (out []string) {
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}
