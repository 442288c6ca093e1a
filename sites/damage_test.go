package sites_test

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// A line table that cannot be read takes evidence away: nothing that depends
// on it may be called complete, and nothing may panic.
func TestDamagedLineTable(t *testing.T) {
	for _, name := range []string{"tiny-gcc", "tiny-clang"} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.NewFile(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			s := f.Section(".debug_line")
			if s == nil || s.Flags&elf.SHF_COMPRESSED != 0 {
				t.Fatal("the test program has no plain .debug_line")
			}
			for i := s.Offset; i < s.Offset+s.FileSize; i++ {
				raw[i] = 0xff
			}
			file, err := elfbin.New(bytes.NewReader(raw), int64(len(raw)), name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := sites.New(file, sites.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			results, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Function: "*"})
			if err != nil {
				t.Fatal(err)
			}
			returns, err := b.Resolve(hook.Hook{Kind: hook.Uretprobe, Function: "*"})
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, returns...)
			copies := 0
			for _, r := range results {
				copies += r.Notes.Copies
				if r.Notes.Copies > 0 && r.Plan.Verdict == sites.Complete {
					t.Errorf("%s: complete without a line table", r.Function)
				}
			}
			if copies == 0 {
				t.Error("no inlined copy was looked at")
			}
		})
	}
}
