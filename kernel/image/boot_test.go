package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/surehook/surehook/kernel"
)

// pack compresses with Go's libraries or, for lz4, as it comes: one literal a block.
func pack(t testing.TB, format string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	switch format {
	case "gzip":
		z := gzip.NewWriter(&out)
		z.Write(data)
		z.Close()
	case "zstd":
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		z.Write(data)
		z.Close()
	case "lz4":
		out.WriteString("\x02\x21\x4c\x18")
		for len(data) > 0 {
			n := min(len(data), 1<<20)
			block := []byte{0xf0}
			for left := n - 15; ; left -= 255 {
				block = append(block, byte(min(left, 255)))
				if left < 255 {
					break
				}
			}
			block = append(block, data[:n]...)
			binary.Write(&out, binary.LittleEndian, uint32(len(block)))
			out.Write(block)
			data = data[n:]
		}
	}
	return out.Bytes()
}

// bzImage wraps a payload as x86 kernels are (Documentation/arch/x86/boot.rst).
func bzImage(payload []byte, size int) []byte {
	out := make([]byte, 2*512+16)
	out[0x1f1] = 1
	copy(out[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(out[0x206:], 0x20f)
	binary.LittleEndian.PutUint32(out[0x248:], 16)
	if payload = bytes.Clone(payload); formatOf(payload) != "gzip" {
		payload = binary.LittleEndian.AppendUint32(payload, uint32(size))
	}
	binary.LittleEndian.PutUint32(out[0x24c:], uint32(len(payload)))
	return append(out, payload...)
}

func TestBoot(t *testing.T) {
	whole, err := os.ReadFile(buildKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"gzip", "zstd", "lz4"} {
		for name, image := range map[string][]byte{
			"bzImage": bzImage(pack(t, format, whole), len(whole)), "bare": pack(t, format, whole),
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				s := read(t, Options{}, Input{"vmlinuz", bytes.NewReader(image), int64(len(image))})
				if f := function(t, s, "vfs_open"); len(f.Symbols) != 1 || f.Symbols[0].Traceable != kernel.Yes {
					t.Errorf("%+v", f)
				}
				cut := len(image) / 2
				var format *FormatError
				if _, err := Read(context.Background(), Options{}, Input{"cut", bytes.NewReader(image[:cut]), int64(cut)}); !errors.As(err, &format) {
					t.Errorf("truncated: %v", err)
				}
			})
		}
	}
}

// TestLZ4 reads what the program lz4 makes, with matches of all kinds.
func TestLZ4(t *testing.T) {
	text := bytes.Repeat([]byte("the quick brown fox, aaaaaaaaaaaaaaaaaaaaaaaaaaaa, "), 5000)
	cmd := exec.Command("lz4", "-l", "-9", "-c")
	cmd.Stdin = bytes.NewReader(text)
	packed, err := cmd.Output()
	if err != nil {
		t.Skip("no lz4: ", err)
	}
	got, err := readLimited(&lz4Reader{r: bytes.NewReader(packed)}, maxImage)
	if err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes of %d: %v", len(got), len(text), err)
	}
}

// deb makes a package of files.
func deb(t testing.TB, control string, files map[string][]byte) []byte {
	t.Helper()
	out := bytes.NewBufferString(arMagic)
	member := func(name string, data []byte) {
		fmt.Fprintf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(data))
		out.Write(data)
		if len(data)%2 == 1 {
			out.WriteByte('\n')
		}
	}
	pack1 := func(files map[string][]byte) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for name, data := range files {
			if err := w.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
				t.Fatal(err)
			}
			w.Write(data)
		}
		w.Close()
		return pack(t, "gzip", b.Bytes())
	}
	member("debian-binary", []byte("2.0\n"))
	member("control.tar.gz", pack1(map[string][]byte{"control": []byte(control)}))
	member("data.tar.gz", pack1(files))
	return out.Bytes()
}

func TestDeb(t *testing.T) {
	path := buildKernel(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	run(t, ".", "strip", "--strip-debug", path)
	stripped, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := deb(t, "Package: linux-image-x\nVersion: 6.1-1\n", map[string][]byte{
		"boot/vmlinuz-x": bzImage(pack(t, "lz4", stripped), len(stripped)), "boot/config-x": []byte("CONFIG_BPF=y\n"),
	})
	second := deb(t, "Package: linux-image-x-dbg\nVersion: 6.1-1\n", map[string][]byte{"usr/lib/debug/boot/vmlinux-x": whole})
	in := func(b []byte) Input { return Input{"p.deb", bytes.NewReader(b), int64(len(b))} }
	s := read(t, Options{}, in(first))
	if s.Missing(kernel.Inlining) == "" || s.Missing(kernel.Config) != "" || s.ID.Package != "linux-image-x 6.1-1" {
		t.Errorf("%q %q %+v", s.Missing(kernel.Inlining), s.Missing(kernel.Config), s.ID)
	}
	var format *FormatError
	for _, cut := range []int{20, len(first) / 2, len(first) - 300} {
		if _, err := Read(context.Background(), Options{}, in(first[:cut])); !errors.As(err, &format) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	// The debug package says more of the same build.
	both := read(t, Options{}, in(first), in(second))
	if f := function(t, both, "do_sys_open"); len(f.Copies) == 0 || both.Missing(kernel.Config) != "" {
		t.Errorf("%+v", f)
	}
	var wrong *InputError
	if _, err := Read(context.Background(), Options{}, in(first), in(first)); !errors.As(err, &wrong) {
		t.Errorf("two kernels: %v", err)
	}
}

// FuzzUnpack: packages and images are refused or read, within their limits.
func FuzzUnpack(f *testing.F) {
	f.Add(deb(f, "Package: p\nVersion: 1\n", map[string][]byte{"boot/config-x": []byte("CONFIG_BPF=y\n"), "boot/vmlinuz-x": []byte("no kernel")}))
	f.Add(bzImage(pack(f, "lz4", bytes.Repeat([]byte("kernel"), 100)), 600))
	f.Add(bzImage(pack(f, "gzip", []byte("\x7fELF")), 4))
	f.Add(pack(f, "zstd", []byte("MZ\x00\x00zimg")))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read(context.Background(), Options{}, Input{"f", bytes.NewReader(data), int64(len(data))})
		if (err == nil) == (s == nil) {
			t.Fatalf("%v and %v", s, err)
		}
	})
}

// TestXZ: without a program, small streams are read, and a hostile one takes no
// more memory than its size allows.
func TestXZ(t *testing.T) {
	text := bytes.Repeat([]byte("modules are small "), 1000)
	cmd := exec.Command("xz", "-c", "--check=crc32")
	cmd.Stdin = bytes.NewReader(text)
	packed, err := cmd.Output()
	if err != nil {
		t.Skip("no xz: ", err)
	}
	r, err := Decompress("xz", bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readLimited(r, maxImage); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	if _, err := Decompress("xz", bytes.NewReader(packed[:len(packed)/2])); err == nil {
		t.Error("a truncated stream gives no error")
	}
}
