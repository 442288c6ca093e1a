package atlas_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// sample makes a kernel of n functions; kernels of neighbouring seeds have
// most in common.
func sample(name string, n int, seed uint64) *kernel.Snapshot {
	r := rand.New(rand.NewPCG(1, seed/2)) // the order of draws is the same, the addresses are not
	base := 0xffffffff81000000 + seed*0x1000
	s := &kernel.Snapshot{
		ID:       kernel.Identity{Name: name, Release: "6.1.0", Arch: elfbin.AMD64, BuildID: "0123"},
		Options:  map[string]string{"CONFIG_BPF": "y", "CONFIG_HZ": "250"},
		BPFFuncs: []string{"bpf_one", "bpf_two"},
	}
	s.Unknown[kernel.Modules] = "no modules"
	addr := base
	for i := range n {
		f := kernel.Function{Name: fmt.Sprintf("fn_%d", i*7%n), BTF: kernel.Answer(r.IntN(3)), Sources: []string{fmt.Sprintf("a/%d.c", i%9)}}
		f.Plan = sites.Judgement{Verdict: sites.Complete}
		f.Protos = []kernel.Proto{{Params: []kernel.Param{{Name: "a", Type: "*cs:task_struct"}, {Name: fmt.Sprint("p", r.IntN(20)), Type: "i:int"}}, Result: "0"}}
		for j := range r.IntN(3) {
			size := uint64(r.IntN(200))
			y := kernel.Symbol{Name: f.Name, Address: addr, Size: size, Traceable: kernel.Answer(r.IntN(3)), Global: j == 0}
			if j == 1 {
				y.Name, y.Kind, y.Args = f.Name+".isra.0", kernel.Clone, &kernel.Args{Place: []int8{0, kernel.ArgGone}}
			}
			f.Symbols = append(f.Symbols, y)
			addr += size + uint64(r.IntN(16))
		}
		s.Functions = append(s.Functions, f)
	}
	s.Functions[3].Symbols = append(s.Functions[3].Symbols, kernel.Symbol{Name: "mod_fn", Address: 16, Size: 4, Module: "xfs", Init: true})
	s.Functions[3].Symbols[0].Variable = true
	s.Functions[4].Plan = sites.Judgement{Verdict: sites.Partial, Reasons: []sites.Reason{{Code: sites.ReasonEmptyRange, Text: "in fn_1 nothing is left"}}}
	addCopies(s, r)
	s.Events = []kernel.Tracepoint{{System: "sched", Name: "sched_switch", Raw: "sched_switch", Fields: []kernel.Field{{Type: "char[16]", Name: "prev_comm", Offset: 8, Size: 16}, {Type: "pid_t", Name: "prev_pid", Offset: 24, Size: 4, Signed: true}}}}
	s.Raws = []kernel.RawTracepoint{{Name: "sched_switch", Params: []kernel.Param{{Name: "preempt", Type: "i:_Bool"}}}}
	s.Hooks = []kernel.LSMHook{{Name: "file_open", Attachable: kernel.Yes, Proto: kernel.Proto{Params: []kernel.Param{{Name: "file", Type: "*s:file"}}, Result: "i:int"}}}
	s.Defs = []kernel.Definition{
		{Kind: kernel.Struct, Name: "file", Size: 16 + seed, Members: []kernel.Member{{Name: "a", Type: "i:int", Offset: 0, BitSize: 3}, {Name: "b", Type: "i:int", Offset: 3, BitSize: 5}, {Name: "c", Type: "*0", Offset: 64}}},
		{Kind: kernel.Enum, Name: "state", Size: 4, Signed: true, Values: []kernel.EnumValue{{Name: "A"}, {Name: "B", Value: -5}}},
		{Kind: kernel.Typedef, Name: "pid_t", Target: "i:int"},
	}
	s.Sort()
	return s
}

// addCopies puts copies and calls into the code of symbols.
func addCopies(s *kernel.Snapshot, r *rand.Rand) {
	var syms []kernel.Symbol
	for _, f := range s.Functions {
		syms = append(syms, f.Symbols...)
	}
	for i := range s.Functions {
		for range r.IntN(4) {
			y := syms[r.IntN(len(syms))]
			off := uint64(r.IntN(int(y.Size) + 1))
			c := kernel.Copy{Caller: y.Name, Offset: off, Address: y.Address + off, Module: y.Module, Times: 1}
			if r.IntN(5) == 0 {
				c.Cond, c.Times = flow.Cond{Op: flow.X86CC, Code: 4, Reg: flow.NoReg, Delta: -8}, 2
			}
			s.Functions[i].Copies = append(s.Functions[i].Copies, c)
		}
		to := syms[r.IntN(len(syms))]
		s.Edges = append(s.Edges, kernel.Call{Caller: syms[r.IntN(len(syms))].Name, Callee: to.Name, CalleeModule: to.Module, Made: kernel.Made(r.IntN(3))})
	}
	s.Functions[0].Copies = append(s.Functions[0].Copies, kernel.Copy{Address: syms[0].Address + 1<<30, Times: 1}) // in no symbol
	s.Edges = append(s.Edges, kernel.Call{Caller: syms[0].Name, Callee: "__SCT__tp_func_sched_switch"})
}

func write(t testing.TB, kernels ...*kernel.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := atlas.Write(&b, kernels); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, data []byte) *atlas.Atlas {
	t.Helper()
	a, err := atlas.New(bytes.NewReader(data), int64(len(data)), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// same compares all that a kernel says with what was written.
var same = cmp.Options{cmpopts.IgnoreUnexported(kernel.Snapshot{}), cmpopts.EquateEmpty()}

// TestRoundTrip writes kernels, reads them whole and asks for single facts.
func TestRoundTrip(t *testing.T) {
	kernels := []*kernel.Snapshot{sample("one", 3000, 2), sample("two", 3100, 3), sample("three", 50, 9)}
	data := write(t, kernels...)
	if !bytes.Equal(data, write(t, kernels...)) {
		t.Error("the same kernels gave other bytes")
	}
	a := open(t, data)
	for i, e := range a.Entries() {
		got, err := e.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		want := kernels[i]
		sortCopies(got)
		sortCopies(want)
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Fatalf("%s: %s", want.ID.Name, diff)
		}
		ask(t, e, want)
	}
}

// sortCopies orders copies at one address, which Sort does not.
func sortCopies(s *kernel.Snapshot) {
	for _, f := range s.Functions {
		slices.SortStableFunc(f.Copies, func(a, b kernel.Copy) int {
			if a.Address != b.Address || a.Module != b.Module {
				return 0
			}
			return a.Times - b.Times
		})
	}
}

// ask compares single answers with those of the snapshot.
func ask(t *testing.T, got, want kernel.Kernel) {
	t.Helper()
	names, err := got.Names()
	if err != nil {
		t.Fatal(err)
	}
	wantNames, _ := want.Names()
	if diff := cmp.Diff(slices.Collect(wantNames), slices.Collect(names)); diff != "" {
		t.Fatal(diff)
	}
	for name := range names {
		f, _, _ := want.Function(name)
		for _, y := range f.Symbols {
			if fn, ok, err := got.Symbol(y.Name); fn != name || !ok || err != nil {
				t.Fatalf("symbol %s: %q %v %v", y.Name, fn, ok, err)
			}
			a, err := got.Callers(y.Name)
			b, _ := want.Callers(y.Name)
			c, err2 := got.Callees(y.Name)
			d, _ := want.Callees(y.Name)
			if diff := cmp.Diff([][]kernel.Call{b, d}, [][]kernel.Call{a, c}, cmpopts.EquateEmpty()); diff != "" || err != nil || err2 != nil {
				t.Fatal(diff, err, err2)
			}
		}
	}
	for _, name := range []string{"file", "state", "pid_t", "nope", "fn_1"} {
		a, err := got.Definitions(name)
		b, _ := want.Definitions(name)
		if diff := cmp.Diff(b, a, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	for _, option := range []string{"CONFIG_BPF", "CONFIG_HZ", "CONFIG_NOPE", "fn_1"} {
		v, set, err := got.Config(option)
		w, wset, _ := want.Config(option)
		if v != w || set != wset || err != nil {
			t.Errorf("%s: %q %v %v, want %q %v", option, v, set, err, w, wset)
		}
	}
	if _, ok, err := got.Function("no such function"); ok || err != nil {
		t.Error(ok, err)
	}
}

// FuzzAtlas opens damaged files and reads all of them: no panic, and either an
// error or values.
func FuzzAtlas(f *testing.F) {
	data := write(f, sample("one", 40, 2), sample("two", 40, 3))
	f.Add(data, uint32(0), byte(0))
	for i := 0; i < len(data); i += 97 {
		f.Add(data, uint32(i), byte(0x41))
	}
	f.Add([]byte("surehook atlas 2"), uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte) {
		data = slices.Clone(data)
		if len(data) > 0 {
			data[int(at)%len(data)] ^= flip
		}
		a, err := atlas.New(bytes.NewReader(data), int64(len(data)), "fuzz")
		if (a == nil) == (err == nil) {
			t.Fatal(a, err)
		}
		if err != nil {
			return
		}
		defer a.Close()
		for _, e := range a.Entries() {
			if s, err := e.Snapshot(); (s == nil) == (err == nil) {
				t.Fatal(s, err)
			}
		}
	})
}

// TestDamage flips every byte of a file: what can be read is what was written,
// or the damage is found.
func TestDamage(t *testing.T) {
	want := sample("one", 12, 2)
	data := write(t, want)
	found := 0
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 0x10
		a, err := atlas.New(bytes.NewReader(bad), int64(len(bad)), "damaged")
		var got *kernel.Snapshot
		if err == nil {
			got, err = a.Entries()[0].Snapshot()
			a.Close()
		}
		var f *atlas.FormatError
		if err != nil {
			if found++; !errors.As(err, &f) {
				t.Fatalf("byte %d: %v is no FormatError", i, err)
			}
			continue
		}
		sortCopies(got)
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Fatalf("byte %d: damage not noticed: %s", i, diff)
		}
	}
	if found < len(data)/2 {
		t.Errorf("damage found in %d of %d places", found, len(data))
	}
}
