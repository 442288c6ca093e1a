package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// TestFleet compares an old kernel with a new one that was changed.
func TestFleet(t *testing.T) {
	rename := func(from, to string) func(*kernel.Snapshot) {
		return func(s *kernel.Snapshot) {
			edit(s, from, func(f *kernel.Function) {
				f.Name = to
				for i := range f.Symbols {
					f.Symbols[i].Name = to
				}
			})
			for i := range s.Edges {
				e := &s.Edges[i]
				if e.Caller == from {
					e.Caller = to
				}
				if e.Callee == from {
					e.Callee = to
				}
			}
		}
	}
	param := func(change func(*kernel.Proto)) func(*kernel.Snapshot) {
		return func(s *kernel.Snapshot) {
			edit(s, "plain", func(f *kernel.Function) {
				p := f.Protos[0]
				p.Params = slices.Clone(p.Params)
				change(&p)
				f.Protos = []kernel.Proto{p}
			})
		}
	}
	for _, tt := range []struct {
		name, hook        string
		change            func(*kernel.Snapshot)
		plain             string   // on the new one
		want              []string // its findings
		message, evidence string
	}{
		{"renamed by callers", "kprobe:plain", rename("plain", "ordinary"), "none", []string{"SH102"}, "probably became ordinary", "called by 1 of the 1 functions that called it, calls 1 of the 1 that it called, also in fs/plain.c, same arguments"},
		{"renamed by spelling", "kprobe:wide", rename("wide", "wide_noprof"), "none", []string{"SH102"}, "became wide_noprof", "the name is a variant"},
		{"renamed by words", "kprobe:wide", rename("wide", "noprof_wide"), "none", []string{"SH102"}, "became noprof_wide", "the name has the same words"},
		{"gone", "kprobe:plain", func(s *kernel.Snapshot) { without(s, "plain") }, "none", []string{"SH101"}, "no function plain", "it is in old"},
		{"same", "kprobe:plain", nil, "complete", nil, "", ""},
		{"argument added", "kprobe:plain", param(func(p *kernel.Proto) {
			p.Params = slices.Insert(p.Params, 1, kernel.Param{Name: "flags", Type: "i:int"})
		}), "complete", []string{"SH103"}, "arg1 (b) is now arg2; arg1 (flags) is new: int", "int plain(int a, int flags, struct file *b)"},
		{"argument dropped", "fentry:plain", param(func(p *kernel.Proto) { p.Params = p.Params[:1] }), "complete", []string{"SH103"}, "arg1 (b) is dropped", ""},
		{"argument of another type", "kprobe:plain", param(func(p *kernel.Proto) { p.Params[1].Type = "*s:path" }), "complete", []string{"SH103"}, "arg1 (b) is struct path *, was struct file *", ""},
		{"argument of another name", "kprobe:plain", param(func(p *kernel.Proto) { p.Params[1].Name = "file" }), "complete", nil, "", ""},
		{"result", "kretprobe:plain", param(func(p *kernel.Proto) { p.Result = "i:long" }), "complete", []string{"SH103"}, "it returns long, not int", ""},
		{"result of an entry probe", "kprobe:plain", param(func(p *kernel.Proto) { p.Result = "i:long" }), "complete", nil, "", ""},
		{"field", "tracepoint:fs:opened", func(s *kernel.Snapshot) {
			s.Events[1].Fields = []kernel.Field{{Name: "pid", Type: "long", Offset: 8, Size: 8}, {Name: "x"}}
		}, "complete", []string{"SH110"}, "pid is long of 8 bytes, was int of 4; x is new", ""},
		{"field moved", "tracepoint:fs:opened", func(s *kernel.Snapshot) {
			s.Events[1].Fields = []kernel.Field{{Name: "pid", Type: "int", Offset: 12, Size: 4}}
		}, "complete", []string{"SH110"}, "other offsets", ""},
		{"raw argument", "rawtracepoint:opened", func(s *kernel.Snapshot) {
			s.Raws[0].Params = []kernel.Param{{Type: "i:int"}, {Type: "*s:file"}}
		}, "complete", []string{"SH111"}, "arg0 is now arg1; arg0 is new: int", ""},
		{"lsm argument", "lsm:file_open", func(s *kernel.Snapshot) { s.Hooks[0].Proto.Params = nil }, "complete", []string{"SH111"}, "arg0 (file) is dropped", ""},
		{"event gone", "tracepoint:fs:opened", func(s *kernel.Snapshot) { s.Events = s.Events[:1] }, "none", []string{"SH109"}, "", "it is in old"},
		{"hook gone", "lsm:file_open", func(s *kernel.Snapshot) { s.Hooks = s.Hooks[1:] }, "none", []string{"SH112"}, "", "it is in old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := world("new")
			if tt.change != nil {
				tt.change(now)
				now.Sort()
			}
			results, _ := NewFleet([]kernel.Kernel{world("old"), now}, nil).Check(parse(t, tt.hook))
			if len(results) != 2 || results[0].Err != nil || results[1].Err != nil || results[0].Verdict.Kernel != "old" {
				t.Fatalf("%+v", results)
			}
			if results[0].Verdict.Plain != sites.Complete && !strings.Contains(tt.hook, "wide") {
				t.Errorf("old: %s", results[0].Verdict.Plain)
			}
			r := results[1]
			if string(r.Verdict.Plain) != tt.plain {
				t.Errorf("new: %s, want %s", r.Verdict.Plain, tt.plain)
			}
			var got []string
			var all strings.Builder
			for _, f := range r.Findings {
				got = append(got, string(f.Rule))
				all.WriteString(f.Message + "\n" + strings.Join(f.Evidence, "\n"))
				wellFormed(t, f)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !strings.Contains(all.String(), tt.message) || !strings.Contains(all.String(), tt.evidence) {
				t.Errorf("got %s\nwant %q and %q", all.String(), tt.message, tt.evidence)
			}
		})
	}
}

// A kernel that is not asked for helps to say what a function became.
func TestFleetOthers(t *testing.T) {
	now := world("new")
	edit(now, "wide", func(f *kernel.Function) { f.Name, f.Symbols[0].Name = "__wide", "__wide" })
	now.Sort()
	results, _ := NewFleet([]kernel.Kernel{now}, []kernel.Kernel{world("old")}).Check(parse(t, "kprobe:wide"))
	if f := results[0].Findings; len(f) != 1 || f[0].Rule != SH102 || !strings.Contains(f[0].Message, "__wide") {
		t.Errorf("%+v", f)
	}
}

func TestAlternatives(t *testing.T) {
	for _, tt := range []struct {
		name, hook string
		change     func(*kernel.Snapshot)
		want       []string
	}{
		{"selective", "kprobe:sel", nil, []string{"tracepoint:fs:opened: it fires in inside, which only it calls, modules aside", "lsm:file_open: it fires in the function itself", "fentry:inside: it calls this, and nothing else does, modules aside; perhaps not every time"}},
		{"complete", "kprobe:plain", nil, nil},
		{"system call", "kprobe:__arm64_sys_open", nil, []string{"tracepoint:syscalls:sys_enter_open: the system call has it on every architecture"}},
		{"another kind", "kprobe:black", nil, []string{"fentry:black: cheaper, and not skipped when probes nest"}},
		{"another kind of what is not in BTF", "fentry:nobtf", nil, []string{"kprobe:nobtf: needs less of the kernel"}},
		{"not in every kernel", "kprobe:sel", func(s *kernel.Snapshot) { s.Events = s.Events[:1] }, []string{"lsm:file_open: it fires in the function itself", "fentry:inside: it calls this, and nothing else does, modules aside; perhaps not every time"}},
		{"called by others too", "kprobe:sel", func(s *kernel.Snapshot) {
			s.Edges = append(s.Edges, kernel.Call{Caller: "plain", Callee: "inside"})
			s.Hooks = nil
		}, []string{"tracepoint:fs:opened: it fires in inside, which only it calls, modules aside", "fentry:inside: it calls this, as do plain; perhaps not every time"}}, // the old one still says so
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := world("new")
			if tt.change != nil {
				tt.change(now)
				now.Sort()
			}
			_, list := NewFleet([]kernel.Kernel{world("old"), now}, nil).Check(parse(t, tt.hook))
			var got []string
			for _, a := range list {
				got = append(got, a.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
