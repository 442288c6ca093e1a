package main

import (
	"os"
	"path/filepath"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// writeTestAtlas writes an atlas of two small kernels, in which "opens" is
// inlined and "took" changes an argument.
func writeTestAtlas(dir string) error {
	var list []*kernel.Snapshot
	for i, release := range []string{"5.0-test", "6.0-test"} {
		k := &kernel.Snapshot{ID: kernel.Identity{Name: release, Release: release, Arch: elfbin.AMD64, Source: "a test"}}
		k.Unknown[kernel.Config] = "no configuration was given"
		arg := []kernel.Param{{Name: "iter", Type: "*s:iov_iter"}, {Name: "len", Type: "t:size_t"}}[i]
		k.Functions = []kernel.Function{
			{
				Name: "opens", BTF: kernel.Yes, Plan: sites.Judgement{Verdict: sites.Complete}, Sources: []string{"fs/open.c"},
				Symbols: []kernel.Symbol{{Name: "opens", Address: 0x1000, Size: 0x40, Traceable: kernel.Yes, Refused: kernel.No}},
				Copies:  []kernel.Copy{{Caller: "took", Address: 0x1050, Offset: 0x10, Times: 1}},
			},
			{
				Name: "took", BTF: kernel.Yes, Plan: sites.Judgement{Verdict: sites.Complete},
				Symbols: []kernel.Symbol{{Name: "took", Address: 0x1040, Size: 0x40, Traceable: kernel.Yes, Refused: kernel.No}},
				Protos:  []kernel.Proto{{Params: []kernel.Param{arg}, Result: "i:int"}},
			},
		}
		k.Edges = []kernel.Call{{Caller: "took", Callee: "opens"}}
		k.Events = []kernel.Tracepoint{{System: "test", Name: "test_event", Raw: "test_event", Fields: []kernel.Field{{Type: "int", Name: "n", Offset: 8, Size: 4}}}}
		k.Sort()
		list = append(list, k)
	}
	f, err := os.Create(filepath.Join(dir, "test.atlas"))
	if err != nil {
		return err
	}
	defer f.Close()
	return atlas.Write(f, list)
}
