package image

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// function asks for a function that must be there.
func function(t *testing.T, k kernel.Kernel, name string) kernel.Function {
	t.Helper()
	f, ok, err := k.Function(name)
	if err != nil || !ok {
		t.Fatalf("%s: %v %v", name, ok, err)
	}
	return f
}

// TestRead reads a small kernel with everything that a large one has.
func TestRead(t *testing.T) {
	s := read(t, Options{}, input(t, buildKernel(t)), text("config", "# Linux Kernel Configuration\nCONFIG_BPF=y\n# CONFIG_FPROBE is not set\n"))
	if s.ID.Name != "debian-6.1.0-test" || s.ID.Release != "6.1.0-test" || s.ID.Arch != elfbin.AMD64 {
		t.Errorf("%+v", s.ID)
	}
	for topic := range kernel.NumTopics {
		if why := s.Missing(topic); why != "" && topic != kernel.Modules && topic != kernel.ModuleCalls {
			t.Errorf("%v is missing: %s", topic, why)
		}
	}
	type facts struct {
		Traceable, Refused kernel.Answer
		Init               bool
		Copies             []string // callers
		BTF                kernel.Answer
	}
	for name, want := range map[string]facts{
		"vfs_open":     {kernel.Yes, kernel.No, false, nil, kernel.Yes},
		"do_sys_open":  {kernel.Yes, kernel.No, false, []string{"start_kernel"}, kernel.Yes},
		"enter_idle":   {kernel.No, kernel.Yes, false, nil, kernel.No},
		"unsafe":       {kernel.No, kernel.Yes, false, nil, kernel.No},
		"start_kernel": {kernel.Yes, kernel.No, true, nil, kernel.No},
	} {
		f := function(t, s, name)
		if len(f.Symbols) != 1 || f.Plan.Verdict != sites.Complete {
			t.Fatalf("%s: %+v", name, f)
		}
		got := facts{f.Symbols[0].Traceable, f.Symbols[0].Refused, f.Symbols[0].Init, nil, f.BTF}
		for _, c := range f.Copies {
			got.Copies = append(got.Copies, c.Caller)
		}
		slices.Sort(got.Copies)
		got.Copies = slices.DeleteFunc(got.Copies, func(c string) bool { return c == "_start" && name == "do_sys_open" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if value, set, _ := s.Config("CONFIG_BPF"); value != "y" || set != kernel.Yes {
		t.Errorf("%q %v", value, set)
	}
	if name, ok, _ := s.Symbol("twice.constprop.0"); !ok || name != "twice" {
		t.Errorf("twice.constprop.0 is %q", name)
	}
	// The second parameter is 7 or 8, and not used.
	if f := function(t, s, "twice"); f.Symbols[0].Kind != kernel.Clone || f.Symbols[0].Args == nil || !slices.Equal(f.Symbols[0].Args.Place, []int8{0, kernel.ArgGone}) {
		t.Errorf("%+v %+v", f, f.Symbols[0].Args)
	}
	if !slices.Equal(s.BPFFuncs, []string{"do_sys_open"}) || len(s.Hooks) != 1 || s.Hooks[0].Attachable != kernel.No {
		t.Errorf("%v %v", s.BPFFuncs, s.Hooks)
	}
}

func TestEvents(t *testing.T) {
	s := read(t, Options{}, input(t, buildKernel(t)))
	want := []kernel.Tracepoint{
		{System: "sched", Name: "sched_switch", Raw: "sched_switch", Fields: []kernel.Field{
			{Type: "char[16]", Name: "comm", Offset: 8, Size: 16}, {Type: "pid_t", Name: "pid", Offset: 24, Size: 4, Signed: true},
			{Type: "long", Name: "state", Offset: 32, Size: 8, Signed: true},
		}},
		{System: "syscalls", Name: "sys_enter_open", Fields: []kernel.Field{
			{Type: "int", Name: "__syscall_nr", Offset: 8, Size: 4, Signed: true},
			{Type: "const char *", Name: "filename", Offset: 16, Size: 8}, {Type: "int", Name: "flags", Offset: 24, Size: 8},
		}},
	}
	if diff := cmp.Diff(want, s.Events); diff != "" {
		t.Error(diff)
	}
	raws := []kernel.RawTracepoint{{Name: "sched_switch", Params: []kernel.Param{{Name: "next", Type: "i:int"}}}}
	if diff := cmp.Diff(raws, s.Raws); diff != "" {
		t.Error(diff)
	}
}

func TestCalls(t *testing.T) {
	s := read(t, Options{}, input(t, buildKernel(t)))
	callers := func(name string) (out []string) {
		calls, err := s.Callers(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			out = append(out, c.Caller)
		}
		return out
	}
	if got := callers("vfs_open"); !slices.Contains(got, "do_sys_open") {
		t.Errorf("vfs_open is called by %v", got)
	}
	// The call itself goes through a pointer, as behind a static key.
	if got := callers("__traceiter_sched_switch"); !slices.Contains(got, "schedule") {
		t.Errorf("__traceiter_sched_switch is called by %v", got)
	}
}

// TestOnly: the rest is there, but inlining is said to be incomplete.
func TestOnly(t *testing.T) {
	s := read(t, Options{Only: []string{"do_sys_open"}}, input(t, buildKernel(t)))
	if f := function(t, s, "do_sys_open"); len(f.Copies) == 0 {
		t.Error("no copies")
	}
	if f := function(t, s, "start_kernel"); len(f.Copies) != 0 || f.Plan.Verdict != sites.Unknown {
		t.Errorf("%+v", f)
	}
	if s.Missing(kernel.Inlining) == "" {
		t.Error("inlining is not missing")
	}
}

// TestStripped: without debug information inlining is unknown, with the reason.
func TestStripped(t *testing.T) {
	path := buildKernel(t)
	run(t, ".", "strip", "--strip-debug", path)
	s := read(t, Options{}, input(t, path))
	if f := function(t, s, "do_sys_open"); f.Plan.Verdict != sites.Unknown || s.Missing(kernel.Inlining) == "" {
		t.Errorf("%+v, missing %q", f.Plan, s.Missing(kernel.Inlining))
	}
}

func TestBadInput(t *testing.T) {
	path := buildKernel(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var format *elfbin.FormatError
	var wrong *InputError
	ctx := context.Background()
	if _, err := Read(ctx, Options{}, Input{"cut", bytes.NewReader(whole[:len(whole)/2]), int64(len(whole) / 2)}); !errors.As(err, &format) {
		t.Errorf("truncated: %v", err)
	}
	for name, inputs := range map[string][]Input{
		"nothing": nil, "text": {text("x", "hello")}, "config only": {text("config", "CONFIG_BPF=y\n")},
		"two": {input(t, path), input(t, path)},
	} {
		if s, err := Read(ctx, Options{}, inputs...); !errors.As(err, &wrong) || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
