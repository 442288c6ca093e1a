package atlas

import (
	"bytes"
	"maps"
	"testing"

	"github.com/surehook/surehook/kernel"
)

// TestOlderFile: files without the bits of calls open, and say of none that it
// is made each time.
func TestOlderFile(t *testing.T) {
	s := &kernel.Snapshot{ID: kernel.Identity{Name: "k"}, Edges: []kernel.Call{{Caller: "a", Callee: "b", Made: kernel.Always}, {Caller: "a", Callee: "c"}}}
	s.Sort()
	var b bytes.Buffer
	if err := Write(&b, []*kernel.Snapshot{s}); err != nil {
		t.Fatal(err)
	}
	for _, older := range []bool{false, true} {
		a, err := New(bytes.NewReader(b.Bytes()), int64(b.Len()), "test")
		if err != nil {
			t.Fatal(err)
		}
		if older {
			maps.DeleteFunc(a.sections, func(k sectionKey, _ section) bool { return k.kind == sectCallSure })
		}
		calls, err := a.Entries()[0].Callees("a")
		if err != nil || len(calls) != 2 || (calls[0].Made == kernel.Always) == older || calls[1].Made != kernel.Sometimes {
			t.Errorf("older %v: %+v %v", older, calls, err)
		}
		a.Close()
	}
}
