package check

import (
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
	"github.com/surehook/surehook/sites"
)

// Fleet is the kernels that a probe is to work on. Check answers for all of
// them together, as what changed between them is a finding too.
type Fleet struct {
	asked, others []*member
	near          map[string][]string // names like one that is nowhere
	answered      map[string]*hookAnswer
	became        map[string]became // what functions were found to be elsewhere
	rules         []Rule            // made once: a glob asks them of 100,000 functions
}

// member is a kernel of a fleet with what is looked up more than once.
type member struct {
	kernel.Kernel
	id      kernel.Identity
	events  map[string]kernel.Tracepoint // by "system:name"; nil: not read yet
	byRaw   map[string]string            // raw tracepoint to "system:name"
	reaches map[string]*reached          // by helper, what it leads to
	support map[string]kernel.Answer     // of configuration options, and of what once was asked for
	types   *core.Cache                  // nil: not asked yet
	names   iter.Seq[string]             // nil: not read yet
	raws    []kernel.RawTracepoint       // nil: not read yet
	lsm     []kernel.LSMHook             // nil: not read yet
	enums   map[string]map[int64]string
}

// NewFleet makes a fleet of the kernels asked for. The others are only asked
// what a function became that is not there any more.
func NewFleet(asked, others []kernel.Kernel) *Fleet {
	f := &Fleet{near: map[string][]string{}, became: map[string]became{}, answered: map[string]*hookAnswer{}, rules: Rules()}
	for _, k := range asked {
		f.asked = append(f.asked, newMember(k))
	}
	for _, k := range others {
		f.others = append(f.others, newMember(k))
	}
	return f
}

func newMember(k kernel.Kernel) *member {
	return &member{Kernel: k, id: k.Identity(), support: map[string]kernel.Answer{}, enums: map[string]map[int64]string{}}
}

// Names gives those of all functions, read once.
func (m *member) Names() (iter.Seq[string], error) {
	if m.names == nil {
		names, err := m.Kernel.Names()
		if err != nil {
			return nil, err
		}
		m.names = names
	}
	return m.names, nil
}

// RawTracepoints gives those of the kernel, read once.
func (m *member) RawTracepoints() (list []kernel.RawTracepoint, err error) {
	if m.raws == nil {
		m.raws, err = m.Kernel.RawTracepoints()
	}
	return m.raws, err
}

// LSMHooks gives those of the kernel, read once.
func (m *member) LSMHooks() (list []kernel.LSMHook, err error) {
	if m.lsm == nil {
		m.lsm, err = m.Kernel.LSMHooks()
	}
	return m.lsm, err
}

// Kernels gives the names of the kernels asked for.
func (f *Fleet) Kernels() []string {
	var names []string
	for _, m := range f.asked {
		names = append(names, m.id.Name)
	}
	return names
}

// Warm reads side by side what Check will ask of every kernel for these hooks.
// It only saves time.
func (f *Fleet) Warm(hooks []hook.Hook) {
	var all sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, m := range f.asked {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			for _, h := range hooks {
				if !h.Kind.User() && !h.Glob() {
					_, _, _ = m.Function(h.Function) // an error comes again when it is asked for
				}
			}
			if i == 0 || i == len(f.asked)/2 || i == len(f.asked)-1 {
				_, _ = m.Callees("")
			}
		})
	}
	all.Wait()
}

// KernelResult is the answer for one hook on one kernel.
type KernelResult struct {
	Verdict  Verdict
	Attaches kernel.Answer  // whether a program that stands there, as it is written, is loaded and attached
	Plain    []sites.Reason // why the plain probe's verdict is what it is
	Plan     []sites.Reason // the same of surehook's plan
	Findings []Finding
	Err      error // the kernel's facts are damaged; the rest is empty
	NotAsked bool  // the hook is not to be on this kernel; the rest is empty
}

// maxMatches bounds how many functions a glob may match in one kernel, so
// that an answer can be read: "vfs_*" matches 90.
const maxMatches = 500

// Check answers for one hook on every kernel asked for, in their order, and
// gives other hooks that fire for the same executions, the best first.
func (f *Fleet) Check(h hook.Hook) ([]KernelResult, []Alternative) { return f.check(h, nil) }

// hookAnswer is what there is to say of a hook, whichever program has it.
type hookAnswer struct {
	members      [][]*kcontext // by kernel asked for
	errs         []error
	alternatives []Alternative
}

// check is Check for a hook of a program, or of none.
func (f *Fleet) check(h hook.Hook, p *bpfobj.Program) ([]KernelResult, []Alternative) {
	base := f.answer(h)
	var out []KernelResult
	for i, m := range f.asked {
		r := KernelResult{Verdict: Verdict{Hook: h, Kernel: m.id.Name, Plain: sites.Unknown, Plan: sites.Unknown}, Err: base.errs[i]}
		for j, shared := range base.members[i] {
			c := *shared
			c.hook, c.program, c.found = h, p, slices.Clone(c.found)
			for k := range c.found {
				c.found[k].Hook = h // as this program spells it
			}
			if err := c.runProgram(); err != nil {
				r.Err = fmt.Errorf("kernel %s: %w", m.id.Name, err)
				break
			}
			r.Attaches = either(r.Attaches, c.attaches(), j == 0)
			c.byLoader()
			r.add(&c, j == 0)
		}
		out = append(out, r)
	}
	return out, base.alternatives
}

// answer runs the rules of hooks on every kernel asked for, once for each hook.
func (f *Fleet) answer(h hook.Hook) *hookAnswer {
	if a, ok := f.answered[h.String()]; ok {
		return a
	}
	a := &hookAnswer{}
	var seen []*kcontext
	for _, m := range f.asked {
		contexts, err := f.contexts(h, m)
		for _, c := range contexts {
			if err == nil {
				err = c.run()
			}
		}
		if err != nil {
			err, contexts = fmt.Errorf("kernel %s: %w", m.id.Name, err), nil
		}
		seen = append(seen, contexts...)
		a.members, a.errs = append(a.members, contexts), append(a.errs, err)
	}
	a.alternatives = f.alternatives(h, seen)
	f.answered[h.String()] = a
	return a
}

// add folds one function's answer into the hook's.
func (r *KernelResult) add(c *kcontext, first bool) {
	r.Verdict.Functions++
	plain, plan := c.plain(), c.plan()
	if first {
		r.Verdict.Plain, r.Verdict.Plan = plain.Verdict, plan.Verdict
	} else {
		r.Verdict.Plain, r.Verdict.Plan = fold(r.Verdict.Plain, plain.Verdict), fold(r.Verdict.Plan, plan.Verdict)
	}
	r.Plain = append(r.Plain, plain.Reasons...)
	r.Plan = append(r.Plan, plan.Reasons...)
	for _, k := range c.found {
		r.Findings = append(r.Findings, k.Finding)
	}
}

// effect is what a finding means for a verdict.
type effect uint8

// The effects, mildest first.
const (
	harmless effect = iota
	doubts          // it cannot be told whether executions are seen
	loses           // some executions are not seen
	blocks          // none is: the probe cannot be attached, or never fires
)

// kfinding is a finding on one kernel with what follows from it.
type kfinding struct {
	Finding
	reason sites.ReasonCode
	plain  effect // for the plain probe
	plan   effect // for surehook's plan
}

// Reasons of kernel hooks besides those of package sites.
const (
	reasonAbsent  sites.ReasonCode = "absent"        // no trace of the function, event or hook
	reasonKind    sites.ReasonCode = "unsupported"   // the kernel does not have the kind of hook
	reasonRefused sites.ReasonCode = "refused"       // the kernel refuses a probe there
	reasonSame    sites.ReasonCode = "duplicate"     // several functions of one name
	reasonMissing sites.ReasonCode = "missing-facts" // the facts on the kernel do not tell
	reasonChanged sites.ReasonCode = "changed"       // arguments or fields are others
	reasonModule  sites.ReasonCode = "module"        // only while a module is loaded
)

// kcontext is what the rules see: one function (or event, or LSM hook) of a
// hook on one kernel.
type kcontext struct {
	*member
	fleet    *Fleet
	hook     hook.Hook       // as asked
	name     string          // what it names here: the wrapper of a system call, one match of a glob
	kind     hook.Kind       // as the kernel sees it: a system call is hooked by a kprobe
	function kernel.Function // zero if there is none
	known    bool            // there is a trace of the function
	// target are the symbols that the plain probe's name and module stand for.
	target []kernel.Symbol
	found  []kfinding

	program *bpfobj.Program // whose hook it is; nil without a compiled one

	probing bool         // only the kind is asked about, not what else the plan could take
	renames *[]candidate // what became of it; nil: not asked yet
}

// contexts gives what the hook means on a kernel.
func (f *Fleet) contexts(h hook.Hook, m *member) ([]*kcontext, error) {
	c := kcontext{member: m, fleet: f, hook: h, name: h.Function, kind: h.Kind}
	switch h.Kind {
	case hook.KprobeMulti, hook.KretprobeMulti, hook.Kprobe, hook.Kretprobe, hook.Fentry, hook.Fexit:
	case hook.Ksyscall, hook.Kretsyscall:
		if c.kind = hook.Kprobe; h.Kind.Return() {
			c.kind = hook.Kretprobe
		}
		return c.one(m.syscall(h.Function))
	default:
		return c.events()
	}
	if !h.Glob() || h.HasAddress {
		return c.one(c.name)
	}
	if base, _, ok := strings.Cut(h.Function, "."); ok && !strings.ContainsAny(base, "*?[") {
		return c.clones(base)
	}
	names, err := m.Names()
	if err != nil {
		return nil, err
	}
	var out []*kcontext
	match := matcher(h.Function)
	for name := range names {
		if !match(name) {
			continue
		}
		one, err := c.one(name)
		if err != nil {
			return nil, err
		}
		if len(one[0].target) == 0 { // a glob means what can be probed by its name
			continue
		}
		if out = append(out, one...); len(out) > maxMatches {
			return nil, fmt.Errorf("%s matches more than %d functions; narrow it", h.Function, maxMatches)
		}
	}
	if len(out) == 0 {
		return c.one(c.name)
	}
	return out, nil
}

// clones gives the bodies of a function that match a glob of its suffix, as
// "lookup_fast.constprop.*".
func (c kcontext) clones(base string) ([]*kcontext, error) {
	f, _, err := c.Function(base)
	if err != nil {
		return nil, err
	}
	var out []*kcontext
	for _, s := range f.Symbols {
		ok, err := pathMatch(c.hook.Function, s.Name)
		if err != nil || !ok || slices.ContainsFunc(out, func(o *kcontext) bool { return o.name == s.Name }) {
			continue
		}
		one, err := c.one(s.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	if len(out) == 0 {
		return c.one(c.name)
	}
	return out, nil
}

// one looks a function up by the name of one of its symbols.
func (c kcontext) one(name string) ([]*kcontext, error) {
	c.name = name
	source, _, _, _ := sites.SymbolName(name)
	var err error
	if c.function, c.known, err = c.Function(source); err != nil {
		return nil, err
	}
	for _, s := range c.function.Symbols {
		if s.Name == name && (c.hook.Module == "" || c.hook.Module == s.Module || c.hook.Module == "vmlinux" && s.Module == "") {
			c.target = append(c.target, s)
		}
	}
	return []*kcontext{&c}, nil
}

// run asks every rule of hooks.
func (c *kcontext) run() error {
	return c.ask(func(r Rule) func(*kcontext) ([]kfinding, error) { return r.kernel })
}

// runProgram asks every rule of programs, where there is one.
func (c *kcontext) runProgram() error {
	if c.program == nil {
		return nil
	}
	return c.ask(func(r Rule) func(*kcontext) ([]kfinding, error) { return r.program })
}

func (c *kcontext) ask(of func(Rule) func(*kcontext) ([]kfinding, error)) error {
	for _, rule := range c.fleet.rules {
		run := of(rule)
		if run == nil {
			continue
		}
		found, err := run(c)
		if err != nil {
			return err
		}
		for _, f := range found {
			f.Rule, f.Hook, f.Kernel = rule.Code, c.hook, c.id.Name
			if f.Function == "" {
				f.Function = c.name
			}
			if f.Severity == "" {
				f.Severity = rule.Severity
			}
			if f.Remedy == "" {
				f.Remedy = rule.Remedy
			}
			c.found = append(c.found, f)
		}
	}
	// What else is not known does not matter where nothing can be attached.
	if slices.ContainsFunc(c.found, func(f kfinding) bool { return f.plain == blocks && f.plan == blocks }) {
		c.found = slices.DeleteFunc(c.found, func(f kfinding) bool { return f.reason == reasonMissing })
	}
	return nil
}

// plain is the verdict on what bpftrace or libbpf would attach.
func (c *kcontext) plain() sites.Judgement {
	return c.judge(func(f kfinding) effect { return f.plain }, "the probe is on the only place where an execution begins")
}

// plan is the verdict on what surehook would attach.
func (c *kcontext) plan() sites.Judgement {
	return c.judge(func(f kfinding) effect { return f.plan }, "every place where an execution begins can be probed")
}

func (c *kcontext) judge(of func(kfinding) effect, fine string) sites.Judgement {
	worst, j := harmless, sites.Judgement{}
	for _, f := range c.found {
		if e := of(f); e > harmless {
			worst = max(worst, e)
			j.Reasons = append(j.Reasons, sites.Reason{Code: f.reason, Text: f.Message})
		}
	}
	switch worst {
	case harmless:
		j.Verdict, j.Reasons = sites.Complete, []sites.Reason{{Code: sites.ReasonEntry, Text: fine}}
	case doubts:
		j.Verdict = sites.Unknown
	case loses:
		j.Verdict = sites.Partial
	case blocks:
		j.Verdict = sites.None
	}
	return j
}

// functions tells whether the hook is put on a function's code.
func (c *kcontext) functions() bool { return c.kprobe() || c.trampoline() || c.multi() }

func (c *kcontext) kprobe() bool { return c.kind == hook.Kprobe || c.kind == hook.Kretprobe }

func (c *kcontext) multi() bool { return c.kind == hook.KprobeMulti || c.kind == hook.KretprobeMulti }

func (c *kcontext) trampoline() bool { return c.kind == hook.Fentry || c.kind == hook.Fexit }

// bodies are the symbols of a kind.
func (c *kcontext) bodies(kind kernel.SymbolKind) []kernel.Symbol {
	var out []kernel.Symbol
	for _, s := range c.function.Symbols {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}

// there tells whether the hook's name has a symbol that is an entry.
func (c *kcontext) there() bool {
	return slices.ContainsFunc(c.target, func(s kernel.Symbol) bool { return s.Kind == kernel.Body || s.Kind == kernel.Clone })
}

// symbolName describes a symbol with its module.
func symbolName(s kernel.Symbol) string {
	if s.Module == "" {
		return s.Name
	}
	return s.Name + " of module " + s.Module
}

// missing makes the finding that a topic is not known.
func (c *kcontext) missing(t kernel.Topic, what string) kfinding {
	return kfinding{Finding: Finding{
		Message:  what + " cannot be told",
		Evidence: []string{"not known: " + t.String(), c.Missing(t)},
		Severity: Warning,
		Remedy:   "compare with kernels that are known:\nsurehook check --kernel all " + shellQuote(c.hook.String()),
	}, reason: reasonMissing, plain: doubts, plan: doubts}
}

// source is the name of the function in the source.
func (c *kcontext) source() string {
	name, _, _, _ := sites.SymbolName(c.name)
	return name
}
