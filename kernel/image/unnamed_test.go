package image

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindBanner(t *testing.T) {
	for text, want := range map[string]int{
		"":                           -1,
		"Linux version ":             -1,
		"xx Linux version %s, Linux": -1,
		"Linux version %s Linux version 6.1.0 (x)": 17,
	} {
		if got := findBanner([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// btfOf has the header of BTF, and zeros.
func btfOf(types, strs uint32) []byte {
	b := []byte{0x9f, 0xeb, 1, 0, 24, 0, 0, 0}
	for _, v := range []uint32{0, types, types, strs} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, make([]byte, types+strs)...)
}

func TestFindBTF(t *testing.T) {
	small, large := btfOf(12, 4), btfOf(40, 9)
	whole := append(append(append([]byte("code"), small...), "between"...), large...)
	for name, c := range map[string]struct{ data, want []byte }{
		"none":          {[]byte("code"), nil},
		"the larger":    {whole, large},
		"cut off":       {whole[:len(whole)-1], small},
		"header only":   {large[:24], nil},
		"half a header": {large[:20], nil},
		"too long":      {btfOf(0xfffffff0&0x7f, 0), nil},
	} {
		if got := findBTF(c.data); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(c.want))
		}
	}
}

func TestFindRelocs(t *testing.T) {
	table := func(n int) (b []byte, want []rela) {
		for i := range n {
			r := rela{kernelHalf + uint64(8*i), kernelHalf + uint64(i)}
			for _, v := range []uint64{r.where, 0x403, r.value} {
				b = binary.LittleEndian.AppendUint64(b, v)
			}
			want = append(want, r)
		}
		return b, want
	}
	few, _ := table(minRelocs - 1)
	if got := findRelocs(few); got != nil {
		t.Errorf("%d of what is too few", len(got))
	}
	many, want := table(minRelocs + 5)
	data := append(append(append(make([]byte, 16), few...), make([]byte, 8)...), many...)
	if diff := cmp.Diff(want, findRelocs(append(data, 1, 2, 3)), cmp.AllowUnexported(rela{})); diff != "" {
		t.Error(diff)
	}
}

func TestStoredBase(t *testing.T) {
	k := &kallsyms{head: 1008, after: 5001, count: 10}
	const linked, base = uint64(kernelHalf), uint64(kernelHalf + 0x10000)
	for name, c := range map[string]struct {
		where uint64
		want  bool
	}{
		"in front of the count":           {linked + 1000, true},
		"behind the offsets":              {linked + 5048, true},
		"of something else":               {linked + 1008, false},
		"of an image that lies elsewhere": {1000, false},
	} {
		got, ok := k.storedBase(linked, []rela{{linked, base + 1}, {c.where, base}})
		if ok != c.want || ok && got != base {
			t.Errorf("%s: %#x %t", name, got, ok)
		}
	}
}
