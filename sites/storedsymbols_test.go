package sites

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
)

// TestStoredSymbols: stored symbols are found as the file's own, by every
// address where an answer changes, its neighbours, and every name.
func TestStoredSymbols(t *testing.T) {
	for _, path := range binaries(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cache := &memory{entries: map[string][]byte{}}
			own := openWith(t, path, Options{Cache: cache}).file
			b := openWith(t, path, Options{Cache: cache})
			if b.index.stored == nil {
				t.Fatalf("not from the cache: %v", cache.dropped)
			}
			stored := b.file
			names := map[string]bool{"no such symbol": true}
			addrs := []uint64{0, ^uint64(0)}
			for _, s := range own.Symbols() {
				names[s.Name], names[s.Name+"@"+s.Version], names[s.Name+"@@"+s.Version] = true, true, true
				addrs = append(addrs, s.Value-1, s.Value, s.Value+1, s.Value+s.Size-1, s.Value+s.Size)
			}
			for _, s := range own.Sections() {
				addrs = append(addrs, s.Addr-1, s.Addr, s.Addr+s.Size-1, s.Addr+s.Size)
			}
			for name := range names {
				if diff := cmp.Diff(own.Lookup(name), stored.Lookup(name)); diff != "" {
					t.Errorf("Lookup(%q):\n%s", name, diff)
				}
			}
			for _, addr := range addrs {
				if diff := cmp.Diff(own.FuncsAt(addr), stored.FuncsAt(addr)); diff != "" {
					t.Errorf("FuncsAt(%#x):\n%s", addr, diff)
				}
				want, wantOK := own.SymbolAt(addr)
				got, ok := stored.SymbolAt(addr)
				if got != want || ok != wantOK {
					t.Errorf("SymbolAt(%#x): %+v %v, not %+v %v", addr, got, ok, want, wantOK)
				}
			}
			if len(cache.dropped) > 0 {
				t.Error(cache.dropped)
			}
		})
	}
}

// TestSymbolsLost: symbols that cannot be read behind a remembered index are an
// error, not an answer without them.
func TestSymbolsLost(t *testing.T) {
	path := binaries(t)[0]
	cache := &memory{entries: map[string][]byte{}}
	openWith(t, path, Options{Cache: cache})
	b := openWith(t, path, Options{Cache: cache})
	if b.index.stored == nil {
		t.Fatal("not from the cache")
	}
	damageSymbols(t, path, b.file)
	b.file.UseIndex(nil)
	_, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Target: path, Function: "main"})
	if e := (*elfbin.FormatError)(nil); !asFormat(err, &e) {
		t.Errorf("answered without symbols: %v", err)
	}
}

func asFormat(err error, e **elfbin.FormatError) bool {
	got, ok := err.(*elfbin.FormatError)
	*e = got
	return ok
}

// damageSymbols makes the name of the first symbol one that is not there.
func damageSymbols(t *testing.T, path string, file *elfbin.File) {
	t.Helper()
	for _, s := range file.Sections() {
		if s.Name != ".symtab" {
			continue
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.NewOffsetWriter(f, int64(s.Offset)+24).Write(binary.LittleEndian.AppendUint32(nil, 0xffffffff)); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("no .symtab")
}

// TestSpelled: the table of names finds what a look at all functions does.
func TestSpelled(t *testing.T) {
	for _, path := range binaries(t) {
		x := openWith(t, path, Options{}).index
		names := []string{"no such function", ""}
		for _, f := range x.all {
			names = append(names, f.spellings()...)
		}
		for _, name := range names {
			x.asked.Store(0)
			all, allGhosts := x.match(name, false), x.ghosts(name)
			x.asked.Store(fewQuestions)
			table, ghosts := x.match(name, false), x.ghosts(name)
			if name != "" && (!slices.Equal(all, table) || !slices.Equal(allGhosts, ghosts)) {
				t.Errorf("%s: %q means %d functions and %d without code, by the table %d and %d",
					path, name, len(all), len(allGhosts), len(table), len(ghosts))
			}
		}
	}
}
