package kernel_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
)

func fn(name string, copies int, symbols ...string) kernel.Function {
	f := kernel.Function{Name: name}
	for i, s := range symbols {
		kind := kernel.Body
		if s != name {
			kind = kernel.Clone
		}
		f.Symbols = append(f.Symbols, kernel.Symbol{Name: s, Kind: kind, Address: uint64(i)})
	}
	f.Copies = make([]kernel.Copy, copies)
	return f
}

// TestDiff compares two small kernels, in which one of each kind of change is.
func TestDiff(t *testing.T) {
	took := fn("took", 0, "took")
	took.Protos = []kernel.Proto{{Params: []kernel.Param{{Name: "iter", Type: "*s:iov_iter"}}, Result: "i:int"}}
	takes := fn("took", 0, "took")
	takes.Protos = []kernel.Proto{{Params: []kernel.Param{{Name: "len", Type: "t:size_t"}}, Result: "i:int"}}
	a := &kernel.Snapshot{
		Functions: []kernel.Function{fn("gone", 0, "gone"), fn("same", 1, "same"), fn("inl", 0, "inl"), took},
		Events:    []kernel.Tracepoint{{System: "s", Name: "e", Fields: []kernel.Field{{Type: "int", Name: "x", Offset: 8}}}, {System: "s", Name: "old"}},
		Raws:      []kernel.RawTracepoint{{Name: "r", Params: []kernel.Param{{Name: "p", Type: "i:int"}}}},
		Hooks:     []kernel.LSMHook{{Name: "h", Proto: kernel.Proto{Result: "i:int"}}},
	}
	b := &kernel.Snapshot{
		Functions: []kernel.Function{fn("new", 0, "new.isra.0"), fn("same", 7, "same"), fn("inl", 2), takes},
		Events:    []kernel.Tracepoint{{System: "s", Name: "e", Fields: []kernel.Field{{Type: "int", Name: "x", Offset: 12}}}},
		Raws:      []kernel.RawTracepoint{{Name: "r", Params: []kernel.Param{{Name: "p", Type: "t:u64"}}}},
		BPFFuncs:  []string{"bpf_k"},
	}
	a.Sort()
	b.Sort()
	got, err := kernel.Diff(a, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []kernel.Change{
		{"function", "gone", "plain", "", ""},
		{"function", "inl", "plain", "fully inlined (2 copies)", "inlining"},
		{"function", "new", "", "clone only (new.isra.0)", ""},
		{"function", "took", "int took(struct iov_iter *iter)", "int took(size_t len)", "arguments"},
		{"tracepoint", "s:e", "int x at 8", "int x at 12", "fields"},
		{"tracepoint", "s:old", "there", "", ""},
		{"rawtracepoint", "r", "void r(int p)", "void r(u64 p)", "arguments"},
		{"lsm", "h", "int h(void)", "", ""},
		{"kfunc", "bpf_k", "", "there", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	drive := kernel.Function{Name: "drive", Symbols: []kernel.Symbol{{Name: "drive", Module: "drv"}}}
	c := &kernel.Snapshot{Functions: []kernel.Function{drive}, Events: []kernel.Tracepoint{{System: "drv", Name: "e", Module: "drv"}}}
	d := &kernel.Snapshot{}
	if got, err := kernel.Diff(c, d, nil); len(got) != 2 || err != nil {
		t.Errorf("what is in modules went: %v %v", got, err)
	}
	d.Unknown[kernel.Modules] = "no modules were given"
	if got, err := kernel.Diff(c, d, nil); len(got) != 0 || err != nil {
		t.Errorf("modules that are not known: %v %v", got, err)
	}
	b.Unknown[kernel.Inlining], b.Unknown[kernel.Signatures], b.Unknown[kernel.Tracepoints] = "x", "x", "x"
	got, err = kernel.Diff(a, b, func(s kernel.Subject, name string) bool { return name != "gone" && s == kernel.OfFunction })
	if err != nil {
		t.Fatal(err)
	}
	want = []kernel.Change{{"function", "inl", "plain", "no symbol", ""}, {"function", "new", "no symbol", "clone only (new.isra.0)", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("topics that are not known: " + diff)
	}
}
