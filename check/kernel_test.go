package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// kernelCase is one hook on a changed world.
type kernelCase struct {
	name, hook  string
	change      func(*kernel.Snapshot)
	plain, plan string
	want        []string // findings: rule and severity
	message     string   // in the first finding
	evidence    string   // in one line of evidence
}

func kernelCases() []kernelCase {
	unset := func(options ...string) func(*kernel.Snapshot) {
		return func(s *kernel.Snapshot) {
			for _, o := range options {
				delete(s.Options, "CONFIG_"+o)
			}
		}
	}
	lost := func(topics ...kernel.Topic) func(*kernel.Snapshot) {
		return func(s *kernel.Snapshot) {
			for _, t := range topics {
				s.Unknown[t] = "lost in the mail"
			}
		}
	}
	noInlining := func(s *kernel.Snapshot) {
		lost(kernel.Inlining)(s)
		for i := range s.Functions {
			s.Functions[i].Plan = sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonNoDebug}}}
		}
	}
	return []kernelCase{
		{"read for the functions asked for", "kprobe:plain", lost(kernel.Inlining), "complete", "complete", nil, "", ""},
		{"plain", "kprobe:plain", nil, "complete", "complete", nil, "", ""},
		{"plain return", "kretprobe:plain", nil, "complete", "complete", nil, "", ""},
		{"plain fentry", "fentry:plain", nil, "complete", "complete", nil, "", ""},
		{"plain multi", "kprobe.multi:plain", nil, "complete", "complete", nil, "", ""},
		{"selective", "kprobe:sel", nil, "partial", "complete", []string{"SH401 error"}, "inlined at 1 place besides", "in caller"},
		{"selective fentry", "fentry:sel", nil, "partial", "complete", []string{"SH401 error"}, "", ""},
		{"selective return", "kretprobe:sel", nil, "partial", "partial", []string{"SH401 error", "SH410 error"}, "", "no return"},
		{"copy without kprobes", "fentry:sel", unset("KPROBE_EVENTS"), "partial", "partial", []string{"SH401 error", "SH409 warning"}, "", ""},
		{"full", "kprobe:full", nil, "none", "partial", []string{"SH402 error", "SH409 warning"}, "no symbol", "in caller"},
		{"isra", "kprobe:isra", nil, "none", "complete", []string{"SH502 error"}, "exists only as isra.isra.0", "arg0 (a) is dropped or constant, arg1 (b) is in arg0, arg2 is not in an argument register"},
		{"isra by name", "kprobe:isra.isra.0", nil, "complete", "complete", []string{"SH502 info"}, "arguments may be elsewhere", ""},
		{"constprop besides", "kprobe:both", nil, "partial", "complete", []string{"SH503 error"}, "also go to both.constprop.0", ""},
		{"another suffix", "kprobe:other", nil, "none", "complete", []string{"SH505 error"}, "only as other.specialized.1", ""},
		{"part only", "kprobe:split", nil, "none", "none", []string{"SH501 error"}, "only the tail", ""},
		{"part by name", "kprobe:split.part.0", nil, "partial", "complete", []string{"SH501 error"}, "slow path only", ""},
		{"cold", "kprobe:chilly.cold", nil, "none", "none", []string{"SH504 error"}, "not calls", ""},
		{"cold besides", "kprobe:chilly", nil, "complete", "complete", nil, "", ""},
		{"duplicate", "kprobe:twice", nil, "none", "complete", []string{"SH107 error"}, "EADDRNOTAVAIL", "twice at 0x500"},
		{"duplicate in an old kernel", "kprobe:twice", func(s *kernel.Snapshot) { without(s, "count_symbols") }, "partial", "complete", []string{"SH107 error"}, "on the first", ""},
		{"duplicate fentry", "fentry:twice", nil, "partial", "complete", []string{"SH107 error"}, "on the first", ""},
		{"duplicate fentry, one of them notrace", "fentry:twice", func(s *kernel.Snapshot) {
			edit(s, "twice", func(f *kernel.Function) { f.Symbols[0].Traceable = kernel.No })
		}, "partial", "partial", []string{"SH107 error"}, "on the first", ""},
		{"variable of the name", "kprobe:plain", variable("plain"), "none", "complete", []string{"SH107 error"}, "a variable is named plain too", "/proc/kallsyms"},
		{"variable of the name in an old kernel", "kprobe:plain", func(s *kernel.Snapshot) { variable("plain")(s); without(s, "count_symbols") }, "complete", "complete", nil, "", ""},
		{"variable of the name, fentry", "fentry:plain", variable("plain"), "complete", "complete", nil, "", ""},
		{"notrace", "kprobe:dark", nil, "none", "none", []string{"SH105 error"}, "ftrace has no place", "CONFIG_KPROBE_EVENTS_ON_NOTRACE is not set"},
		{"notrace allowed", "kprobe:dark", func(s *kernel.Snapshot) { s.Options["CONFIG_KPROBE_EVENTS_ON_NOTRACE"] = "y" }, "complete", "complete", nil, "", ""},
		{"notrace without ftrace", "kprobe:dark", unset("DYNAMIC_FTRACE"), "complete", "complete", nil, "", ""},
		{"notrace fentry", "fentry:dark", func(s *kernel.Snapshot) { s.Options["CONFIG_KPROBE_EVENTS_ON_NOTRACE"] = "y" }, "none", "complete", []string{"SH105 error"}, "refuses fentry", ""},
		{"notrace multi", "kprobe.multi:dark", nil, "none", "none", []string{"SH105 error"}, "", "room for a call"},
		{"notrace clone of a traced function", "kprobe:both.constprop.0", func(s *kernel.Snapshot) {
			edit(s, "both", func(f *kernel.Function) { f.Symbols[1].Traceable = kernel.No })
		}, "complete", "complete", []string{"SH503 info"}, "", ""},
		{"ftrace not known", "fentry:plain", func(s *kernel.Snapshot) {
			s.Unknown[kernel.Ftrace] = "lost in the mail"
			edit(s, "plain", func(f *kernel.Function) { f.Symbols[0].Traceable = kernel.NotKnown })
		}, "unknown", "unknown", []string{"SH105 warning"}, "cannot be told", "lost in the mail"},
		{"blacklisted", "kprobe:black", nil, "none", "complete", []string{"SH106 error"}, "refuses kprobes on black", ""},
		{"notrace with copies", "kprobe:sel", func(s *kernel.Snapshot) {
			edit(s, "sel", func(f *kernel.Function) { f.Symbols[0].Traceable = kernel.No })
		}, "none", "partial", []string{"SH105 error", "SH401 error"}, "", ""},
		{"blacklisted fentry", "fentry:black", nil, "complete", "complete", nil, "", ""},
		{"blacklist not known", "kprobe:plain", func(s *kernel.Snapshot) {
			s.Unknown[kernel.Blacklist] = "lost in the mail"
			edit(s, "plain", func(f *kernel.Function) { f.Symbols[0].Refused = kernel.NotKnown })
		}, "unknown", "unknown", []string{"SH106 warning"}, "cannot be told", "lost in the mail"},
		{"another stack", "kretprobe:__switch_to", nil, "none", "none", []string{"SH106 error"}, "another stack", ""},
		{"boot", "kprobe:boot", nil, "none", "none", []string{"SH115 error"}, "during boot only", ""},
		{"module", "kprobe:drive", nil, "complete", "complete", []string{"SH108 info"}, "module drv", ""},
		{"module named", "kprobe:drv:drive", nil, "complete", "complete", []string{"SH108 info"}, "", ""},
		{"another module", "kprobe:xfs:drive", nil, "none", "none", []string{"SH101 error"}, "", "drive of module drv"},
		{"not in BTF", "fentry:nobtf", nil, "none", "complete", []string{"SH114 error"}, "does not describe it", ""},
		{"variadic", "fentry:talk", nil, "none", "complete", []string{"SH114 error"}, "variable number", ""},
		{"many arguments", "fentry:wide", nil, "none", "complete", []string{"SH114 error"}, "this kernel passes 6", ""},
		{"many arguments, later", "fentry:wide", func(s *kernel.Snapshot) {
			s.Functions = append(s.Functions, function("get_nr_used_regs", symbol("get_nr_used_regs", 1)))
			s.Sort()
		}, "complete", "complete", nil, "", ""},
		{"many arguments, not known", "fentry:wide", noInlining, "unknown", "unknown", []string{"SH114 warning", "SH407 warning"}, "more than 6", ""},
		{"several in BTF", "fentry:plain", func(s *kernel.Snapshot) {
			edit(s, "plain", func(f *kernel.Function) { f.Protos = append(slices.Clone(f.Protos), kernel.Proto{Result: "0"}) })
		}, "unknown", "complete", []string{"SH114 warning"}, "has 2 functions plain", "void plain(void)"},
		{"struct as argument", "fentry:plain", func(s *kernel.Snapshot) {
			s.Defs = append(s.Defs, kernel.Definition{Name: "btf_func_model", Members: []kernel.Member{{Name: "ret_size"}}})
			s.Sort()
			edit(s, "plain", func(f *kernel.Function) {
				f.Protos = []kernel.Proto{{Params: []kernel.Param{{Name: "g", Type: "s:kgid"}}, Result: "0"}}
			})
		}, "none", "complete", []string{"SH114 error"}, "arg0 (g) is one", "struct kgid g"},
		{"struct as argument, later", "fentry:plain", func(s *kernel.Snapshot) {
			s.Defs = append(s.Defs, kernel.Definition{Name: "btf_func_model", Members: []kernel.Member{{Name: "arg_flags"}}})
			s.Sort()
			edit(s, "plain", func(f *kernel.Function) {
				f.Protos = []kernel.Proto{{Params: []kernel.Param{{Name: "g", Type: "s:kgid"}}, Result: "0"}}
			})
		}, "complete", "complete", nil, "", ""},
		{"struct by value", "fentry:plain", func(s *kernel.Snapshot) {
			s.Defs = append(s.Defs, kernel.Definition{Kind: kernel.Typedef, Name: "prot_t", Target: "{s8;prot@0=i:unsigned long;}"})
			s.Sort()
			edit(s, "plain", func(f *kernel.Function) { f.Protos = []kernel.Proto{{Result: "ct:prot_t"}} })
		}, "none", "complete", []string{"SH114 error"}, "returns a struct by value", "prot_t plain(void)"},
		{"event of perf's own", "tracepoint:irq_vectors:irq_work_exit", func(s *kernel.Snapshot) {
			s.Events = append(s.Events, kernel.Tracepoint{System: "irq_vectors", Name: "irq_work_exit"})
			s.Sort()
		}, "none", "none", []string{"SH109 error"}, "refuses perf events", ""},
		{"inlining not known", "kprobe:sel", noInlining, "partial", "unknown", []string{"SH401 error", "SH407 warning"}, "", ""},
		{"inlining not known of a plain one", "kprobe:plain", noInlining, "unknown", "unknown", []string{"SH407 warning"}, "inlined anywhere", "lost in the mail"},
		{"doubt of the plan", "kprobe:doubt", nil, "unknown", "unknown", []string{"SH406 warning"}, "", "a jump"},
		{"modules not read", "kprobe:head", lost(kernel.Modules), "partial", "unknown", []string{"SH401 error", "SH406 warning"}, "", "include/linux/head.h:3"},
		{"offset", "kprobe:plain+4", nil, "unknown", "unknown", []string{"SH404 warning"}, "start of an instruction", ""},
		{"offset behind", "kprobe:plain+0x40", nil, "none", "none", []string{"SH404 error"}, "16 bytes", ""},
		{"absent", "kprobe:plian", nil, "none", "none", []string{"SH101 error"}, "no function plian", ""},
		{"absent without modules", "kprobe:plian", lost(kernel.Modules), "unknown", "unknown", []string{"SH101 warning"}, "cannot be told", "lost in the mail"},
		{"absent without symbols", "kprobe:plian", lost(kernel.Symbols), "unknown", "unknown", []string{"SH101 warning"}, "", ""},
		{"no kprobes", "kprobe:plain", unset("KPROBE_EVENTS"), "none", "complete", []string{"SH104 error"}, "no kprobe hooks", "CONFIG_KPROBE_EVENTS is not set"},
		{"no kprobes and copies", "kprobe:full", unset("KPROBE_EVENTS"), "none", "none", []string{"SH104 error", "SH402 error", "SH409 warning"}, "", ""},
		{"no fprobe", "kprobe.multi:plain", unset("FPROBE"), "none", "complete", []string{"SH104 error"}, "no kprobe.multi hooks", ""},
		{"no direct calls", "fentry:plain", unset("DYNAMIC_FTRACE_WITH_DIRECT_CALLS"), "none", "complete", []string{"SH104 error"}, "", ""},
		{"no direct calls on arm64", "fentry:plain", func(s *kernel.Snapshot) {
			unset("DYNAMIC_FTRACE_WITH_DIRECT_CALLS")(s)
			s.ID.Arch = elfbin.ARM64
		}, "none", "complete", []string{"SH201 error"}, "do not work on arm64", ""},
		{"configuration not known", "kprobe:plain", lost(kernel.Config), "unknown", "unknown", []string{"SH104 warning"}, "cannot be told", "needs CONFIG_KPROBE_EVENTS"},
		{"configuration told by functions", "kprobe:plain", func(s *kernel.Snapshot) {
			lost(kernel.Config)(s)
			s.Functions = append(s.Functions, function("trace_call_bpf", symbol("trace_call_bpf", 1)), function("create_local_trace_kprobe", symbol("create_local_trace_kprobe", 2)))
			s.Sort()
		}, "complete", "complete", nil, "", ""},
		{"fentry told by functions", "fentry:plain", func(s *kernel.Snapshot) {
			lost(kernel.Config)(s)
			s.Functions = append(s.Functions, function("bpf_jit_alloc_exec", symbol("bpf_jit_alloc_exec", 1)), function("register_ftrace_direct", symbol("register_ftrace_direct", 2)))
			s.Sort()
		}, "complete", "complete", nil, "", ""},
		{"notrace told by functions", "kprobe:dark", func(s *kernel.Snapshot) {
			lost(kernel.Config)(s)
			for _, name := range []string{"trace_call_bpf", "create_local_trace_kprobe", "ftrace_location", "__within_notrace_func"} {
				s.Functions = append(s.Functions, function(name, symbol(name, 1)))
			}
			s.Sort()
		}, "none", "none", []string{"SH105 error"}, "", ""},
		{"system call of another architecture", "kprobe:__arm64_sys_open", nil, "none", "none", []string{"SH202 error"}, "on amd64 the system call is __x64_sys_open", ""},
		{"old system call", "kprobe:sys_open", nil, "none", "none", []string{"SH202 error"}, "", ""},
		{"system call", "kprobe:__x64_sys_open", nil, "complete", "complete", []string{"SH202 info"}, "struct pt_regs", "amd64 only"},
		{"ksyscall", "ksyscall:open", nil, "complete", "complete", nil, "", ""},
		{"tracepoint", "tracepoint:fs:opened", nil, "complete", "complete", nil, "", ""},
		{"tracepoint in a module", "tracepoint:drv:moved", nil, "complete", "complete", []string{"SH108 info"}, "", ""},
		{"no tracepoint", "tracepoint:fs:opend", nil, "none", "none", []string{"SH109 error"}, "no tracepoint fs:opend", ""},
		{"tracepoints not known", "tracepoint:fs:opened", lost(kernel.Tracepoints), "unknown", "unknown", []string{"SH109 warning"}, "", "lost in the mail"},
		{"raw tracepoint", "rawtracepoint:opened", nil, "complete", "complete", nil, "", ""},
		{"no raw tracepoint", "rawtracepoint:opend", nil, "none", "none", []string{"SH109 error"}, "", ""},
		{"raw tracepoint without BTF", "rawtracepoint:opened", lost(kernel.RawArgs), "complete", "complete", nil, "", ""},
		{"raw tracepoint not known", "rawtracepoint:bare", lost(kernel.RawArgs), "unknown", "unknown", []string{"SH109 warning"}, "", ""},
		{"lsm", "lsm:file_open", nil, "complete", "complete", nil, "", ""},
		{"no lsm hook", "lsm:file_opn", nil, "none", "none", []string{"SH112 error"}, "no LSM hook", ""},
		{"lsm hook without function", "lsm:hidden", nil, "none", "none", []string{"SH112 error"}, "bpf_lsm_hidden", ""},
		{"lsm not known", "lsm:file_open", lost(kernel.LSMHooks), "unknown", "unknown", []string{"SH112 warning"}, "", ""},
		{"lsm not active", "lsm:file_open", func(s *kernel.Snapshot) { s.Options["CONFIG_LSM"] = `"lockdown"` }, "none", "none", []string{"SH113 error"}, "never run", ""},
		{"no lsm", "lsm:file_open", unset("BPF_LSM"), "none", "none", []string{"SH104 error"}, "", ""},
		{"glob", "kprobe:[ps]*", nil, "partial", "complete", []string{"SH401 error"}, "", ""},
		{"glob of nothing", "kprobe:zz*", nil, "none", "none", []string{"SH101 error"}, "", ""},
		{"glob of events", "tracepoint:fs:open*", nil, "complete", "complete", nil, "", ""},
	}
}

func TestKernelRules(t *testing.T) {
	covered := map[Code]bool{}
	for _, tt := range kernelCases() {
		t.Run(tt.name, func(t *testing.T) {
			s := world("k")
			if tt.change != nil {
				tt.change(s)
			}
			results, _ := NewFleet([]kernel.Kernel{s}, nil).Check(parse(t, tt.hook))
			r := results[0]
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if string(r.Verdict.Plain) != tt.plain || string(r.Verdict.Plan) != tt.plan {
				t.Errorf("plain %s, plan %s; want %s, %s", r.Verdict.Plain, r.Verdict.Plan, tt.plain, tt.plan)
			}
			placesFit(t, s, tt)
			var got, evidence []string
			for _, f := range r.Findings {
				got = append(got, string(f.Rule)+" "+string(f.Severity))
				evidence = append(evidence, f.Evidence...)
				covered[f.Rule] = true
				wellFormed(t, f)
				if f.Kernel != "k" {
					t.Errorf("%s is of kernel %q", f.Rule, f.Kernel)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if len(r.Findings) > 0 && !strings.Contains(r.Findings[0].Message, tt.message) {
				t.Errorf("message %q, want %q in it", r.Findings[0].Message, tt.message)
			}
			if !strings.Contains(strings.Join(evidence, "\n"), tt.evidence) {
				t.Errorf("evidence %q, want %q in it", evidence, tt.evidence)
			}
			if (r.Verdict.Plain != "complete") == (len(r.Plain) == 0) && len(r.Plain) == 0 {
				t.Error("no reason for the verdict")
			}
		})
	}
	several := []Code{SH102, SH103, SH110, SH111} // these need two kernels
	for _, c := range several {
		covered[c] = true
	}
	for _, r := range Rules() {
		if r.kernel != nil && !covered[r.Code] {
			t.Errorf("no case for %s on kernels", r.Code)
		}
	}
}

// placesFit checks that there are places for the plan exactly if its verdict
// is not none, that what it loses is listed, and that the verdicts are the same.
func placesFit(t *testing.T, k kernel.Kernel, tt kernelCase) {
	t.Helper()
	h := parse(t, tt.hook)
	if h.Glob() || h.HasAddress {
		return
	}
	r, ok, err := NewPlanner(k).Places(h)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		if tt.plan != "none" && tt.plan != "unknown" {
			t.Errorf("plan %s of what is nowhere", tt.plan)
		}
		return
	}
	if string(r.Plain.Verdict) != tt.plain || string(r.Plan.Verdict) != tt.plan {
		t.Errorf("of the places: plain %s, plan %s; want %s, %s", r.Plain.Verdict, r.Plan.Verdict, tt.plain, tt.plan)
	}
	if (len(r.Sites) == 0) != (tt.plan == "none") && tt.plan != "unknown" {
		t.Errorf("plan %s with %d places", tt.plan, len(r.Sites))
	}
	if len(r.PlanLost) > 0 && tt.plan == "complete" {
		t.Errorf("plan complete, lost %v", r.PlanLost)
	}
	plain := slices.ContainsFunc(r.Sites, func(s sites.Site) bool { return s.Plain })
	if plain && tt.plain == "none" {
		t.Error("a place of a plain probe that cannot be")
	}
	for _, s := range r.Sites {
		if len(s.Ways) == 0 {
			t.Errorf("%s+%#x: no way", s.Symbol, s.Offset)
		}
	}
}
