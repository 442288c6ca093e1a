package vmtest

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// module is an ELF file with nothing but a .modinfo section.
func module(info string) []byte {
	const names = "\x00.modinfo\x00.shstrtab\x00"
	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			_ = binary.Write(&b, binary.LittleEndian, x) // to memory
		}
	}
	at := uint64(64 + len(info))
	put([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint16(1), uint16(62), uint32(1), uint64(0), uint64(0), at+uint64(len(names)),
		uint32(0), uint16(64), uint16(0), uint16(0), uint16(64), uint16(3), uint16(2))
	put([]byte(info), []byte(names))
	section := func(name, kind uint32, off, size uint64) {
		put(name, kind, uint64(0), uint64(0), off, size, uint32(0), uint32(0), uint64(1), uint64(0))
	}
	section(0, 0, 0, 0)
	section(1, 1, 64, uint64(len(info)))
	section(10, 3, at, uint64(len(names)))
	return b.Bytes()
}

// TestModules resolves what modules need, packed in every way.
func TestModules(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "6.1-test")
	write := func(name string, data []byte) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	z, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(module("name=b_b\x00depends=c,inside\x00softdep=pre: none crc post: late\x00")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	write("modules.builtin", []byte("kernel/lib/inside.ko\n"))
	write("kernel/a.ko", module("depends=b-b\x00license=GPL\x00"))
	write("kernel/b/b-b.ko.xz", packed.Bytes())
	write("kernel/c.ko.zst", enc.EncodeAll(module("depends=\x00"), nil))
	write("kernel/crc.ko", module("x=y\x00"))
	write("kernel/bad.ko", module("depends=gone\x00"))
	i := &Image{Release: "6.1-test", moduleDir: dir}
	files, paths, err := i.modules([]string{"a", "c"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/lib/modules/c.ko", "/lib/modules/crc.ko", "/lib/modules/b_b.ko", "/lib/modules/a.ko"}
	if diff := cmp.Diff(want, paths); diff != "" || len(files) != len(paths) {
		t.Errorf("%d files, %s", len(files), diff)
	}
	for _, name := range []string{"bad", "nosuch"} {
		if _, _, err := i.modules([]string{name}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, _, err := (&Image{}).modules([]string{"a"}); err == nil {
		t.Error("without modules: no error")
	}
}

// FuzzModuleNeeds: error or needs, never both.
func FuzzModuleNeeds(f *testing.F) {
	f.Add(module("depends=a,b\x00softdep=pre: c\x00"))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, s, err := moduleNeeds(data); err != nil && len(d)+len(s) > 0 {
			t.Errorf("%q %q %v", d, s, err)
		}
	})
}
