package elfbin

import (
	"bytes"
	"debug/elf"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// record puts the length before the body of a record of .eh_frame.
func record(body ...any) []byte {
	b := pack(body...)
	return append(pack(uint32(len(b))), b...)
}

func TestFDERanges(t *testing.T) {
	cie := func(augmentation string, data ...byte) []byte {
		return record(uint32(0), uint8(1), augmentation+"\x00", uint8(1), uint8(0x78), uint8(16), uint8(len(data)), data)
	}
	rel := cie("zR", 0x1b)                                // pcrel sdata4
	personality := cie("zPLR", 3, 9, 9, 9, 9, 0x1b, 0x1b) // udata4 personality
	abs := record(uint32(0), uint8(1), "\x00", uint8(1), uint8(0x78), uint8(16))
	const base = 0x2000
	// fde gives an FDE that is at an offset of the section, its CIE at 0.
	fde := func(at int, low, size uint32) []byte {
		return record(uint32(at+4), low-uint32(base+at+8), size, uint8(0))
	}
	tests := []struct {
		name string
		data []byte
		want []Range
		bad  bool
	}{
		{"two", bytes.Join([][]byte{rel, fde(len(rel), 0x1000, 16), fde(len(rel)+17, 0x1010, 8), make([]byte, 4)}, nil),
			[]Range{{0x1000, 0x1010}, {0x1010, 0x1018}}, false},
		{"personality", bytes.Join([][]byte{personality, fde(len(personality), 0x1000, 16)}, nil), []Range{{0x1000, 0x1010}}, false},
		{"language data first", bytes.Join([][]byte{cie("zLR", 0xff, 0x1b), fde(len(rel)+2, 0x1000, 16)}, nil), []Range{{0x1000, 0x1010}}, false},
		{"terminator in the middle", bytes.Join([][]byte{rel, make([]byte, 4), fde(len(rel)+4, 0x1000, 16)}, nil),
			[]Range{{0x1000, 0x1010}}, false},
		{"absolute", bytes.Join([][]byte{abs, record(uint32(len(abs)+4), uint64(0x1000), uint64(32))}, nil), []Range{{0x1000, 0x1020}}, false},
		{"dropped function", bytes.Join([][]byte{abs, record(uint32(len(abs)+4), uint64(0), uint64(32))}, nil), nil, false},
		{"wraps around", bytes.Join([][]byte{abs, record(uint32(len(abs)+4), ^uint64(0), uint64(32))}, nil), nil, false},
		{"no CIE", record(uint32(77), uint64(0), uint64(0)), nil, true},
		{"CIE is an FDE", bytes.Join([][]byte{rel, record(uint32(4), uint64(0), uint64(0))}, nil), nil, true},
		{"record leaves the section", pack(uint32(100), uint32(0)), nil, true},
		{"record cut short", bytes.Join([][]byte{rel, record(uint32(len(rel)+4), uint16(1))}, nil), nil, true},
		{"cut length", append(bytes.Clone(rel), 1, 2), nil, true},
		{"indirect", bytes.Join([][]byte{cie("zR", 0x9b), fde(len(rel), 0x1000, 16)}, nil), nil, true},
		{"unknown augmentation", bytes.Join([][]byte{cie("zX", 0), fde(len(rel), 0x1000, 16)}, nil), nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := image{sections: []part{{name: ".eh_frame", typ: elf.SHT_PROGBITS, flags: ao, addr: base, data: tt.data}}}.open(t)
			got, err := f.FDERanges()
			var bad *FormatError
			if errors.As(err, &bad) != tt.bad || tt.bad && got != nil {
				t.Fatalf("got %v, %v", got, err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if r, err := (image{}).open(t).FDERanges(); r != nil || err != nil {
		t.Errorf("without .eh_frame: %v, %v", r, err)
	}
}

func TestLEB128(t *testing.T) {
	for _, tt := range []struct {
		data     []byte
		unsigned uint64
		signed   int64
		short    bool
	}{
		{[]byte{0x02}, 2, 2, false},
		{[]byte{0x7e}, 0x7e, -2, false},
		{[]byte{0x80, 0x7f}, 0x3f80, -128, false},
		{[]byte{0xff, 0x00}, 0x7f, 127, false},
		{bytes.Repeat([]byte{0x80}, 20), 0, 0, true},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 1<<64 - 1, -1, false},
	} {
		u, s := cursor{data: tt.data}, cursor{data: tt.data}
		if a, b := u.uleb(), s.sleb(); a != tt.unsigned || b != tt.signed || u.short != tt.short || s.short != tt.short {
			t.Errorf("% x: got %d and %d", tt.data, a, b)
		}
	}
}

// FuzzFDERanges reads any bytes as .eh_frame: ranges xor an error.
func FuzzFDERanges(f *testing.F) {
	cie := record(uint32(0), uint8(1), "zPLR\x00", uint8(1), uint8(0x78), uint8(16), uint8(7), uint8(3), uint32(9), uint8(0x1b), uint8(0x1b))
	f.Add(append(bytes.Clone(cie), record(uint32(len(cie)+4), uint32(0x1000), uint32(16), uint8(0))...), false)
	plain := record(uint32(0), uint8(3), "\x00", uint8(1), uint8(0x78), uint8(16))
	f.Add(append(bytes.Clone(plain), record(uint32(len(plain)+4), uint64(0x1000), uint64(32))...), true)
	f.Fuzz(func(t *testing.T, b []byte, object bool) {
		im := image{sections: []part{{name: ".eh_frame", typ: elf.SHT_PROGBITS, flags: ao, addr: 0x2000, data: b}}}
		if object {
			im.typ = elf.ET_REL
		}
		whole := im.bytes()
		file, err := New(bytes.NewReader(whole), int64(len(whole)), "/bin/fuzzed")
		if err != nil {
			return
		}
		got, err := file.FDERanges()
		if err != nil && got != nil || len(got) > len(b) {
			t.Fatalf("%d ranges and error %v", len(got), err)
		}
		for _, r := range got {
			if r.Empty() {
				t.Fatalf("range %+v", r)
			}
		}
	})
}
