package sites

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/flat"
)

// memory is a Cache.
type memory struct {
	entries map[string][]byte
	dropped []error
}

func (m *memory) Get(key string) (io.ReaderAt, int64) {
	b, ok := m.entries[key]
	if !ok {
		return nil, 0
	}
	return bytes.NewReader(b), int64(len(b))
}

func (m *memory) Put(key string, write func(io.Writer) error) {
	var b bytes.Buffer
	if err := write(&b); err == nil {
		m.entries[key] = b.Bytes()
	}
}

func (m *memory) Drop(key string, why error) {
	m.dropped = append(m.dropped, why)
	delete(m.entries, key)
}

// binaries are programs of several compilers, as far as they are here.
func binaries(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for name, args := range map[string][]string{
		"c":     {"gcc", "-O2", "-g", "../dwarfinfo/testdata/one.c", "../dwarfinfo/testdata/two.c"},
		"lto":   {"gcc", "-O3", "-g", "-flto", "../dwarfinfo/testdata/one.c", "../dwarfinfo/testdata/two.c"},
		"c++":   {"g++", "-O2", "-g", "../dwarfinfo/testdata/one.cc", "../dwarfinfo/testdata/two.cc"},
		"clang": {"clang++", "-O2", "-g", "-Wl,--build-id", "../dwarfinfo/testdata/one.cc", "../dwarfinfo/testdata/two.cc"},
		"go":    {"go", "build", "-ldflags=-B=gobuildid", "../internal/cmd/testrun"},
	} {
		bin := filepath.Join(dir, name)
		at := len(args)
		for i, a := range args {
			if strings.HasPrefix(a, "../") {
				at = min(at, i)
			}
		}
		args = slices.Insert(args, at, "-o", bin)
		if b, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Logf("no %s: %v: %s", args[0], err, b)
			continue
		}
		out = append(out, bin)
	}
	if len(out) == 0 {
		t.Skip("no compiler on this machine")
	}
	slices.Sort(out)
	return out
}

func openWith(t *testing.T, path string, opts Options) *Binary {
	t.Helper()
	opts.cacheAll = true
	b, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// answers are the results for all functions, and for names that are none.
func answers(t *testing.T, b *Binary) []string {
	t.Helper()
	ask := func(function string) string {
		results, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Target: b.File().Path(), Function: function})
		if e := (*NotFoundError)(nil); err != nil && !asNotFound(err, &e) {
			t.Errorf("%s: %v", function, err)
		}
		return fmt.Sprintf("%s: %+v %v", function, results, err)
	}
	out := []string{ask("*"), ask("mian"), ask("x*y")}
	for _, s := range b.File().Symbols() {
		if s.Func() {
			out = append(out, ask(s.Name))
		}
	}
	return out
}

func asNotFound(err error, e **NotFoundError) bool {
	got, ok := err.(*NotFoundError)
	*e = got
	return ok
}

// TestRememberedAnswers: an answer is the same whether the index was read or
// remembered.
func TestRememberedAnswers(t *testing.T) {
	oneAtATime(t)
	for _, path := range binaries(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cache := &memory{entries: map[string][]byte{}}
			want := answers(t, openWith(t, path, Options{}))
			first := openWith(t, path, Options{Cache: cache})
			if first.index.stored != nil || len(cache.entries) != 1 {
				t.Fatalf("%d entries stored", len(cache.entries))
			}
			second := openWith(t, path, Options{Cache: cache})
			if second.index.stored == nil {
				t.Fatalf("not from the cache: %v", cache.dropped)
			}
			if diff := cmp.Diff(want, answers(t, second)); diff != "" {
				t.Errorf("read (-), remembered (+):\n%.2000s", diff)
			}
			if second.loaded != nil || len(cache.dropped) > 0 {
				t.Errorf("the debug information was read all the same: %v", cache.dropped)
			}
			if d := second.Data(); d == nil || !reflect.DeepEqual(d.Funcs, first.loaded.Funcs) {
				t.Error("Data differs")
			}
		})
	}
}

// oneAtATime: which of several answers comes first must make no difference,
// but does for a few functions of Go. That is not this test's subject.
func oneAtATime(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// TestEveryFieldIsStored fills all fields of a function by reflection.
func TestEveryFieldIsStored(t *testing.T) {
	f := &function{}
	n := 0
	fill(reflect.ValueOf(f).Elem(), &n)
	var texts flat.Strings
	c := flat.Encoder(&texts)
	f.code(c)
	record := bytes.Clone(c.Record())
	got := &function{number: f.number}
	d := flat.Decoder(record, flat.NewTexts(bytes.NewReader(texts.Bytes()), uint64(len(texts.Bytes()))))
	got.code(d)
	if err := d.Err(); err != nil || !reflect.DeepEqual(f, got) {
		t.Errorf("%v: a field is not stored:\n%+v\n%+v", err, f, got)
	}
}

// fill gives every field a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	if v.CanAddr() {
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() // unexported ones too
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

// TestDamagedMemory: whatever became of the stored bytes, the answers are
// right and there is no panic.
func TestDamagedMemory(t *testing.T) {
	oneAtATime(t)
	path := binaries(t)[0]
	want := answers(t, openWith(t, path, Options{}))
	cache := &memory{entries: map[string][]byte{}}
	openWith(t, path, Options{Cache: cache})
	var key string
	var good []byte
	for key, good = range cache.entries {
	}
	for cut := 0; cut < len(good); cut += 1 + len(good)/40 {
		cache.entries = map[string][]byte{key: good[:cut]}
		if diff := cmp.Diff(want, answers(t, openWith(t, path, Options{Cache: cache}))); diff != "" {
			t.Fatalf("cut at %d of %d:\n%.2000s", cut, len(good), diff)
		}
	}
}

// FuzzStored gives stored bytes of any content: answers may be wrong, as there
// is no checksum here, but they are answers.
func FuzzStored(f *testing.F) {
	dir := f.TempDir()
	bin := filepath.Join(dir, "c")
	if out, err := exec.Command("gcc", "-O2", "-g", "-o", bin, "../dwarfinfo/testdata/one.c", "../dwarfinfo/testdata/two.c").CombinedOutput(); err != nil {
		f.Skipf("no gcc here: %v: %s", err, out)
	}
	cache := &memory{entries: map[string][]byte{}}
	b, err := Open(bin, Options{Cache: cache, cacheAll: true})
	if err != nil {
		f.Fatal(err)
	}
	b.Close()
	var key string
	for k, stored := range cache.entries {
		key = k
		f.Add(stored)
		f.Add(stored[:len(stored)-flatTrailer])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Open(bin, Options{Cache: &memory{entries: map[string][]byte{key: data}}, cacheAll: true})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, name := range []string{"*", "main", "no_such"} {
			results, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Target: bin, Function: name})
			if (err == nil) != (len(results) > 0) {
				t.Errorf("%s: %d results, %v", name, len(results), err)
			}
		}
	})
}

// flatTrailer is the size of the positions of a stored index's parts.
const flatTrailer = 16 * storedParts
