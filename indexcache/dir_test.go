package indexcache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// content is data of several blocks.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 / 3)
	}
	return b
}

func put(d *Dir, key string, b []byte) {
	d.Put(key, func(w io.Writer) error {
		for chunk := range slices.Chunk(b, 1000) {
			if _, err := w.Write(chunk); err != nil {
				return err
			}
		}
		return nil
	})
}

// get reads everything that is stored under the key.
func get(t *testing.T, d *Dir, key string) ([]byte, error) {
	t.Helper()
	r, size := d.Get(key)
	if r == nil {
		return nil, os.ErrNotExist
	}
	defer r.(io.Closer).Close()
	b := make([]byte, size)
	_, err := r.ReadAt(b, 0)
	return b, err
}

// named is the path of a key's file.
func named(t *testing.T, d *Dir, key string) string {
	t.Helper()
	name, err := d.file(key)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func logged(lines *[]string) func(string, ...any) {
	return func(format string, args ...any) { *lines = append(*lines, fmt.Sprintf(format, args...)) }
}

func TestRoundTrip(t *testing.T) {
	var log []string
	path := filepath.Join(t.TempDir(), "not", "yet")
	d := Open(path, Options{Version: "1", Log: logged(&log)})
	if _, err := get(t, d, "k"); err == nil {
		t.Error("something is there from the beginning")
	}
	for _, n := range []int{0, 1, block - 1, block, block + 1, 5*block + 77} {
		want := content(n)
		put(d, "k", want)
		got, err := get(t, d, "k")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %v, %d bytes are back", n, err, len(got))
		}
	}
	r, size := d.Get("k")
	defer r.(io.Closer).Close()
	b := make([]byte, 100)
	if _, err := r.ReadAt(b, 2*block-50); err != nil || !bytes.Equal(b, content(3 * block)[2*block-50:2*block+50]) {
		t.Errorf("across blocks: %v", err)
	}
	for _, off := range []int64{-1, size - 99, size + 1} {
		if _, err := r.ReadAt(b, off); err == nil {
			t.Errorf("100 bytes at %d of %d could be read", off, size)
		}
	}
	if len(log) > 0 {
		t.Error(log)
	}
	if list, err := os.ReadDir(path); err != nil || len(list) != 1 {
		t.Errorf("files: %v, %v", list, err)
	}
}

func TestOthersAreNotFound(t *testing.T) {
	var log []string
	path := t.TempDir()
	d := Open(path, Options{Version: "1", Log: logged(&log)})
	put(d, "k", content(10))
	other := Open(path, Options{Version: "2", Log: logged(&log)})
	if _, err := get(t, other, "k"); err == nil || len(log) != 0 {
		t.Errorf("what another version stored is found: %v", log)
	}
	put(other, "k", content(20))
	for dir, n := range map[*Dir]int{d: 10, other: 20} {
		if b, err := get(t, dir, "k"); err != nil || len(b) != n {
			t.Errorf("version %s: %d bytes, %v: the other's have overwritten them", dir.opts.Version, len(b), err)
		}
	}
	if err := os.Rename(named(t, d, "k"), named(t, d, "l")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(named(t, other, "k"), named(t, d, "k")); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, d, "k"); err == nil {
		t.Error("another version's file is taken for ours")
	}
	if _, err := get(t, d, "l"); err == nil {
		t.Error("what was stored under another key is found")
	}
	for _, key := range []string{"", "../k", "a/b", ".hidden", strings.Repeat("k", 300)} {
		put(d, key, content(1))
		if _, err := get(t, d, key); err == nil {
			t.Errorf("%q is a key", key)
		}
	}
}

// TestDamage: bytes are given as they were stored, or not at all.
func TestDamage(t *testing.T) {
	d := Open(t.TempDir(), Options{Version: "1"})
	want := content(2*block + 99)
	put(d, "k", want)
	name := named(t, d, "k")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, bad []byte) {
		t.Helper()
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := get(t, d, "k"); err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes are given", what)
		} else if err == nil {
			t.Errorf("%s: not noticed", what)
		}
	}
	for i := 0; i < len(good); i += 1 + len(good)/500 {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		check(fmt.Sprint("flipped at ", i), bad)
		check(fmt.Sprint("cut at ", i), good[:i])
	}
	for i := len(good) - 40; i < len(good); i++ {
		bad := bytes.Clone(good)
		bad[i] ^= 0x80
		check(fmt.Sprint("flipped at ", i), bad)
	}
	check("longer", append(bytes.Clone(good), 0))
}

func TestShrinksWhileOpen(t *testing.T) {
	d := Open(t.TempDir(), Options{})
	put(d, "k", content(4*block))
	r, _ := d.Get("k")
	defer r.(io.Closer).Close()
	if err := os.Truncate(named(t, d, "k"), block); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 10), 3*block); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestPrune(t *testing.T) {
	var log []string
	d := Open(t.TempDir(), Options{MaxBytes: 3 * block, MaxAge: 48 * time.Hour, Log: logged(&log)})
	now := time.Now()
	file := func(name string, size int64, age time.Duration) {
		t.Helper()
		path := filepath.Join(d.path, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Truncate(path, size), os.Chtimes(path, now, now.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	file("ancient.idx", 1, 49*time.Hour)
	file("old.idx", block, 3*time.Hour)
	file("older.idx", block, 4*time.Hour)
	file("new.idx", 2*block, time.Hour)
	file(".tmp-1", 1, time.Minute)
	file(".tmp-2", 1, 2*time.Hour)
	file("notes.txt", 9*block, 99*time.Hour)
	d.prune(now)
	list, err := os.ReadDir(d.path)
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if want := []string{".tmp-1", "new.idx", "notes.txt", "old.idx"}; err != nil || !slices.Equal(got, want) || len(log) != 3 {
		t.Errorf("%v: %v are left, not %v; %v", err, got, want, log)
	}
}

// TestUse: what was asked for is not the oldest any more.
func TestUse(t *testing.T) {
	d := Open(t.TempDir(), Options{MaxBytes: 3 * block})
	for _, key := range []string{"a", "b"} {
		put(d, key, content(block))
		before := time.Now().Add(-time.Hour)
		if err := os.Chtimes(named(t, d, key), before, before); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := get(t, d, "a"); err != nil {
		t.Fatal(err)
	}
	put(d, "c", content(block))
	_, errA := get(t, d, "a")
	_, errB := get(t, d, "b")
	if errA != nil || errB == nil {
		t.Errorf("used: %v, not used: %v", errA, errB)
	}
}

func TestFailedWrite(t *testing.T) {
	var log []string
	d := Open(t.TempDir(), Options{Log: logged(&log)})
	d.Put("k", func(w io.Writer) error {
		w.Write(content(3 * block))
		return errors.New("no more")
	})
	if list, err := os.ReadDir(d.path); err != nil || len(list) != 0 || len(log) != 1 {
		t.Errorf("%v %v %v", list, err, log)
	}
	// A directory that cannot be made costs nothing but the cache.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d = Open(filepath.Join(file, "dir"), Options{Log: logged(&log)})
	put(d, "k", content(10))
	if _, err := get(t, d, "k"); err == nil || len(log) < 2 {
		t.Errorf("%v, %v", err, log)
	}
}

// TestTwoProcesses: processes that store and read at one time get all of it
// or nothing.
func TestTwoProcesses(t *testing.T) {
	if dir := os.Getenv("INDEXCACHE_TEST_DIR"); dir != "" {
		busy(t, Open(dir, Options{MaxBytes: 8 * block}))
		return
	}
	dir := t.TempDir()
	var commands []*exec.Cmd
	for range 2 {
		c := exec.Command(os.Args[0], "-test.run=^TestTwoProcesses$", "-test.v")
		c.Env = append(os.Environ(), "INDEXCACHE_TEST_DIR="+dir)
		c.Stdout = &bytes.Buffer{}
		c.Stderr = c.Stdout
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, c)
	}
	for _, c := range commands {
		if err := c.Wait(); err != nil {
			t.Errorf("%v\n%s", err, c.Stdout)
		}
	}
	list, err := os.ReadDir(dir)
	for _, e := range list {
		if !strings.HasSuffix(e.Name(), suffix) {
			t.Errorf("%s is left", e.Name())
		}
	}
	if err != nil || len(list) == 0 {
		t.Errorf("%v %v", list, err)
	}
}

func busy(t *testing.T, d *Dir) {
	found := 0
	for i := range 200 {
		key := fmt.Sprint("k", i%3)
		put(d, key, content(2*block+i%3))
		got, err := get(t, d, key)
		if errors.Is(err, os.ErrNotExist) {
			continue // pruned by the other
		}
		found++
		if err != nil || !bytes.Equal(got, content(2*block+i%3)) {
			t.Fatalf("%s: %v", key, err)
		}
	}
	if found == 0 {
		t.Error("nothing was found, ever")
	}
}

// FuzzEntry: whatever a file holds, it is refused or gives what has its
// checksum.
func FuzzEntry(f *testing.F) {
	for _, n := range []int{0, 10, block + 5} {
		var b bytes.Buffer
		w := newWriter(&b, "k", "1")
		w.Write(content(n))
		if err := w.close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := openEntry(name, "k", "1")
		if err != nil {
			return
		}
		defer e.Close()
		b := make([]byte, e.size)
		if n, err := e.ReadAt(b, 0); (err == nil) != (n == len(b)) {
			t.Errorf("%d of %d bytes, %v", n, len(b), err)
		}
	})
}
