package check

import (
	"debug/elf"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

const file = "/opt/prog"

func parse(t *testing.T, text string) hook.Hook {
	t.Helper()
	h, err := hook.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func fn(name string, value uint64) elfbin.Symbol {
	return elfbin.Symbol{Name: name, Value: value, Size: 16, Type: elf.STT_FUNC, Section: 1}
}

func version(s elfbin.Symbol, v string, hidden bool) elfbin.Symbol {
	s.Version, s.Hidden = v, hidden
	return s
}

func typed(s elfbin.Symbol, t elf.SymType) elfbin.Symbol { s.Type = t; return s }

func entry(addr uint64, symbol string) sites.Site {
	return sites.Site{Kind: sites.Entry, Address: addr, FileOffset: addr, Symbol: symbol, Plain: true}
}

func inlined(addr uint64, symbol string, offset uint64, line int) sites.Site {
	return sites.Site{
		Kind: sites.Inlined, Address: addr, FileOffset: addr, Symbol: symbol, Offset: offset,
		Callers: []sites.Frame{{Function: symbol, File: "/src/a.c", Line: line}},
	}
}

// exit is where an inlined copy ends; line 0: where the body returns.
func exit(addr uint64, symbol string, offset uint64, line int) sites.Site {
	s := inlined(addr, symbol, offset, line)
	if s.Kind = sites.Exit; line == 0 {
		s.Callers = nil
	}
	return s
}

func clone(addr uint64, symbol string, plain bool) sites.Site {
	return sites.Site{Kind: sites.Clone, Address: addr, FileOffset: addr, Symbol: symbol, Plain: plain}
}

func because(v sites.Verdict, code sites.ReasonCode, text string) sites.Judgement {
	return sites.Judgement{Verdict: v, Reasons: []sites.Reason{{Code: code, Text: text}}}
}

var complete = sites.Judgement{Verdict: sites.Complete}

// ruleCase is a result and what the rules say of it: "code severity" each,
// with the beginning of the message and of the remedy of the first.
type ruleCase struct {
	name    string
	hook    string
	result  sites.Result
	in      Input
	want    []string
	message string // part of the first finding's message
	remedy  string // part of the first finding's remedy
}

func ruleCases() []ruleCase {
	add := func(v, u sites.Judgement, at ...sites.Site) sites.Result {
		r := sites.Result{Function: "add", Plain: v, Plan: u, Sites: at}
		for _, s := range at {
			if s.Plain {
				r.PlainAt = append(r.PlainAt, s.FileOffset)
			}
		}
		return r
	}
	with := func(r sites.Result, change func(*sites.Result)) sites.Result { change(&r); return r }
	none := sites.Judgement{Verdict: sites.None}
	partial := sites.Judgement{Verdict: sites.Partial}
	return []ruleCase{
		{
			name: "nothing to say", hook: "uprobe:./prog:add", result: add(complete, complete, entry(0x10, "add")),
		},
		{
			name: "selective inlining", hook: "uprobe:./prog:add",
			result: add(partial, complete, entry(0x10, "add"), inlined(0x31, "main", 0x21, 12), inlined(0x60, "twice", 0, 5)),
			want:   []string{"SH401 error"}, message: "add is inlined at 2 of its 3 places",
			remedy: "bpftrace -e 'uprobe:/opt/prog:add, uprobe:/opt/prog:0x31, uprobe:/opt/prog:twice { @ = count(); }'",
		},
		{
			name: "a condition is beyond bpftrace", hook: "uprobe:./prog:add",
			result: add(partial, complete, entry(0x10, "add"), with(add(none, none, inlined(0x31, "main", 0x21, 12)), func(r *sites.Result) {
				r.Sites[0].Cond = flow.Cond{Op: flow.X86CC, Code: 4}
			}).Sites[0]),
			want: []string{"SH401 error"}, message: "1 of its 2 places",
			remedy: "surehook trace --count 'uprobe:/opt/prog:add'\n# not with bpftrace: at 1 place a branch condition",
		},
		{
			name: "outside of symbols", hook: "uprobe:./prog:add",
			result: add(none, complete, inlined(0x31, "", 0, 12)),
			want:   []string{"SH402 error"}, message: "no body to probe under its name",
			remedy: "bpftrace --unsafe -e 'uprobe:/opt/prog:0x31 { @ = count(); }'",
		},
		{
			name: "full inlining of a function that a glob matched", hook: "uprobe:./prog:a*",
			result: add(none, complete, inlined(0x31, "main", 0x21, 12)),
			want:   []string{"SH402 error"}, message: "inlined at 1 place", remedy: "surehook trace --count 'uprobe:/opt/prog:add'",
		},
		{
			name: "returns of inlined copies", hook: "uretprobe:./prog:add",
			result: add(because(sites.Partial, sites.ReasonReturn, "misses 1 place where inlined copies end"), complete, entry(0x10, "add"), exit(0x31, "main", 0x21, 12)),
			want:   []string{"SH410 error"}, remedy: "uprobe:/opt/prog:0x31",
		},
		{
			name: "returns of what never returns", hook: "uretprobe:./prog:add",
			result: add(none, because(sites.None, sites.ReasonNoReturn, "the body is not called and does not return")),
			want:   []string{"SH410 error"}, remedy: "surehook trace --count 'uprobe:/opt/prog:add'",
		},
		{
			name: "uretprobe that an exception may pass", hook: "uretprobe:./prog:add",
			result: add(because(sites.Unknown, sites.ReasonUnsafe, "an exception ends the program"), complete, exit(0x31, "", 0x21, 0)),
			want:   []string{"SH414 warning"}, remedy: "surehook trace --count 'uretprobe:/opt/prog:add'",
		},
		{
			name: "first instruction that cannot be probed", hook: "uprobe:./prog:add",
			result: add(because(sites.None, sites.ReasonHazard, "a breakpoint on the first instruction of add fails"), complete, entry(0x14, "add")),
			want:   []string{"SH411 error"}, remedy: "surehook trace --count 'uprobe:/opt/prog:add'",
		},
		{
			name: "renamed by link-time optimisation", hook: "uprobe:./prog:add",
			result: with(add(because(sites.None, sites.ReasonClone, "no symbol add"), complete, entry(0x10, "add.lto_priv.0")), func(r *sites.Result) { r.PlainAt = nil }),
			want:   []string{"SH505 error"}, message: "exists only as add.lto_priv.0", remedy: "uprobe:/opt/prog:add.lto_priv.0",
		},
		{
			name: "interposable function", hook: "uprobe:./lib.so:add",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) { r.Notes.Interposed = true }),
			want:   []string{"SH307 info"}, message: "can be replaced", remedy: "LD_DEBUG=bindings",
		},
		{
			name: "Go's stack check", hook: "uprobe:./prog:main.f",
			result: with(add(because(sites.Unknown, sites.ReasonStack, "the entry is passed again"), complete, entry(0x16, "main.f")), func(r *sites.Result) {
				r.Sites[0].Offset, r.Sites[0].Plain = 6, true
			}),
			want: []string{"SH412 warning"}, message: "begun again", remedy: "bpftrace -e 'uprobe:/opt/prog:0x16 { @ = count(); }'",
		},
		{
			name: "return probe on Go", hook: "uretprobe:./prog:main.f",
			result: add(because(sites.None, sites.ReasonGoReturn, "crashes"), complete, exit(0x31, "main.f", 0x21, 0)),
			want:   []string{"SH413 error"}, message: "crashes the program", remedy: "uprobe:/opt/prog:0x31",
		},
		{
			name: "suspected inlining", hook: "uprobe:./prog:add",
			result: with(add(because(sites.Unknown, sites.ReasonNoDebug, "the symbol has no caller left"), complete, entry(0x10, "add")), func(r *sites.Result) {
				r.Notes.NoCaller = true
				r.Target.BuildID = "ab12"
			}),
			want: []string{"SH403 warning"}, remedy: "surehook check --debuginfod 'uprobe:",
		},
		{
			name: "inside an instruction", hook: "uprobe:./prog:add+1",
			result: add(because(sites.None, sites.ReasonNotBoundary, "inside the instruction at 0x10"), none),
			want:   []string{"SH404 error"}, remedy: "objdump -d /opt/prog",
		},
		{
			name: "folded, which is no alias", hook: "uprobe:./prog:add",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) {
				r.Notes.Folded = []string{"sum"}
				r.Notes.Symbols = []elfbin.Symbol{fn("add", 0x10), fn("sum", 0x10)}
			}),
			want: []string{"SH405 warning"}, message: "folded add with 1 other function",
		},
		{
			name: "unknown", hook: "uprobe:./prog:add",
			result: add(because(sites.Unknown, sites.ReasonIndirect, "the targets of the jump at 0x20 are not known"), complete, entry(0x10, "add")),
			want:   []string{"SH406 warning"}, message: "the plain probe", remedy: "surehook trace --count --prove",
		},
		{
			name: "no debug information", hook: "uprobe:./prog:add",
			result: add(because(sites.Unknown, sites.ReasonNoDebug, "no debug information"), complete, entry(0x10, "add")),
			want:   []string{"SH407 warning"}, message: "prog has no debug information", remedy: "surehook check --debug-dir DIR 'uprobe:/opt/prog:add'",
		},
		{
			name: "start-up code", hook: "uprobe:./prog:_start",
			result: with(add(because(sites.Unknown, sites.ReasonNoDebug, "not described"), complete, entry(0x10, "_start")), func(r *sites.Result) {
				r.Notes.NoCaller, r.Notes.StartFile = true, true
			}),
			want: []string{"SH407 warning"}, message: "start-up code of prog (_start,",
		},
		{
			name: "debug information not read", hook: "uprobe:./prog:add",
			result: add(because(sites.Unknown, sites.ReasonGap, "split"), complete, entry(0x10, "add")),
			want:   []string{"SH408 warning"},
		},
		{
			name: "no place of its own", hook: "uprobe:./prog:add",
			result: with(add(complete, partial, entry(0x10, "add")), func(r *sites.Result) {
				r.PlanLost = []sites.Lost{{Caller: "main", File: "/src/a.c", Line: 3, Why: "the copy is empty"}}
			}),
			want: []string{"SH409 warning"},
		},
		{
			name: "several versions, one probed", hook: "uprobe:libm:exp",
			result: add(complete, complete, entry(0x10, "exp")),
			in: Input{Lookup: func(string) []elfbin.Symbol {
				return []elfbin.Symbol{version(fn("exp", 0x10), "GLIBC_2.2.5", true), version(fn("exp", 0x90), "GLIBC_2.29", false)}
			}},
			want: []string{"SH301 error"}, message: "exp has 2 versions at different addresses and the probe is not on all",
			remedy: "not with bpftrace: several symbols are named exp",
		},
		{
			name: "the version is named", hook: "uprobe:libm:exp@GLIBC_2.29", result: add(complete, complete, entry(0x90, "exp")),
			in: Input{Lookup: func(string) []elfbin.Symbol {
				return []elfbin.Symbol{version(fn("exp", 0x10), "GLIBC_2.2.5", true), version(fn("exp", 0x90), "GLIBC_2.29", false)}
			}},
		},
		{
			name: "only an old version", hook: "uprobe:libc:add",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) {
				r.Notes.Symbols = []elfbin.Symbol{version(fn("add", 0x10), "V_1", true)}
			}),
			want: []string{"SH301 warning"}, message: "only as the old version add@V_1",
		},
		{
			name: "indirect function", hook: "uprobe:libc:strlen",
			result: with(add(because(sites.None, sites.ReasonIFunc, "resolver"), partial), func(r *sites.Result) {
				r.Notes.Symbols = []elfbin.Symbol{typed(fn("strlen", 0x10), elf.STT_GNU_IFUNC)}
			}),
			want: []string{"SH302 error"}, message: "strlen is an indirect function", remedy: "surehook sites 'uprobe:/opt/prog:*strlen*'",
		},
		{
			name: "aliases", hook: "uprobe:libc:malloc",
			result: with(add(complete, complete, entry(0x10, "malloc")), func(r *sites.Result) {
				r.Notes.Symbols = []elfbin.Symbol{fn("malloc", 0x10), fn("__libc_malloc", 0x10), fn("other", 0x20)}
			}),
			want: []string{"SH303 info"}, message: "malloc is one body with 2 names",
		},
		{
			name: "imported", hook: "uprobe:./prog:atoi",
			result: sites.Result{Function: "atoi", Plain: because(sites.None, sites.ReasonUndefined, "x"), Plan: none},
			in:     Input{Providers: func(string) []string { return []string{"/lib/libc.so.6"} }},
			want:   []string{"SH304 error"}, remedy: "bpftrace -e 'uprobe:/lib/libc.so.6:atoi { @ = count(); }'",
		},
		{
			name: "several functions of one name", hook: "uprobe:./prog:add",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) {
				r.Notes.Symbols = []elfbin.Symbol{fn("add", 0x90), fn("add", 0x10)}
			}),
			want: []string{"SH305 error"}, message: "2 functions are named add",
		},
		{
			name: "another build", hook: "uprobe:./prog:add+4",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) { r.Target.BuildID = "aa" }),
			in:     Input{BuildID: "bb"}, want: []string{"SH306 error"},
		},
		{
			name: "another build does not matter to a name", hook: "uprobe:./prog:add",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) { r.Target.BuildID = "aa" }),
			in:     Input{BuildID: "bb"},
		},
		{
			name: "the same build", hook: "uprobe:./prog:add+4",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) { r.Target.BuildID = "AA" }),
			in:     Input{BuildID: "aa"},
		},
		{
			name: "partial inlining", hook: "uprobe:./prog:add",
			result: with(add(partial, complete, entry(0x10, "add"), inlined(0x31, "main", 0x21, 12)), func(r *sites.Result) {
				r.Notes.Parts = []elfbin.Symbol{fn("add.part.0", 0x80)}
			}),
			want: []string{"SH401 error", "SH501 error"},
		},
		{
			name: "the tail alone", hook: "uprobe:./prog:add.part.0", result: add(complete, complete, clone(0x80, "add.part.0", true)),
			want: []string{"SH501 error"}, message: "tail of a split function", remedy: "surehook trace --count 'uprobe:/opt/prog:add'",
		},
		{
			name: "isra only", hook: "uprobe:./prog:add", result: add(none, complete, clone(0x80, "add.isra.0", false)),
			want: []string{"SH502 error"}, message: "exists only as add.isra.0", remedy: "bpftrace -e 'uprobe:/opt/prog:add.isra.0 {",
		},
		{
			name: "constprop besides", hook: "uprobe:./prog:add",
			result: add(partial, complete, entry(0x10, "add"), clone(0x80, "add.constprop.0", false)),
			want:   []string{"SH503 error"}, message: "calls of add also go to add.constprop.0",
		},
		{
			name: "the clone itself", hook: "uprobe:./prog:add.isra.0", result: add(complete, complete, clone(0x80, "add.isra.0", true)),
			want: []string{"SH502 info"}, message: "arguments may be elsewhere",
		},
		{
			name: "cold", hook: "uprobe:./prog:add.cold", result: add(complete, complete, clone(0x80, "add.cold", true)),
			want: []string{"SH504 error", "SH505 info"}, remedy: "surehook trace --count 'uprobe:/opt/prog:add'",
		},
		{
			name: "a glob that also matches cold", hook: "uprobe:./prog:add*",
			result: with(add(complete, complete, entry(0x10, "add")), func(r *sites.Result) { r.Notes.Colds = []elfbin.Symbol{fn("add.cold", 0x90)} }),
			want:   []string{"SH504 warning"}, message: "add* also matches add.cold",
		},
		{
			name: "lto_priv", hook: "uprobe:./prog:add", result: add(none, complete, clone(0x80, "add.lto_priv.0", false)),
			want: []string{"SH505 error"},
		},
	}
}
