package elfbin

import (
	"bytes"
	"debug/elf"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLandingPads(t *testing.T) {
	const frame, table, text = 0x2000, 0x3000, 0x1000
	common := record(uint32(0), uint8(1), "zPLR\x00", uint8(1), uint8(0x78), uint8(16), uint8(7), uint8(3), uint32(9), uint8(0x1b), uint8(0x1b))
	// The second field of an FDE's augmentation points to the table.
	eh := append(bytes.Clone(common), record(uint32(len(common)+4), uint32(text)-uint32(frame+len(common)+8), uint32(0x40), uint8(4),
		uint32(table)-uint32(frame+len(common)+17))...)
	header := []byte{0xff, 0xff, 0x01} // base is the function, no types, uleb128
	tests := []struct {
		name string
		lsda []byte
		want []LandingPad
	}{
		{"two calls", append(header, 12, 4, 8, 0x20, 1, 0x10, 2, 0, 0, 0x14, 4, 0x30, 0),
			[]LandingPad{{Range{0x1004, 0x100c}, 0x1020}, {Range{0x1014, 0x1018}, 0x1030}}},
		{"types behind it", []byte{0xff, 0x9b, 0x20, 0x01, 4, 4, 8, 0x20, 1}, []LandingPad{{Range{0x1004, 0x100c}, 0x1020}}},
		{"base of its own", append([]byte{0x00, 0x08, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x01}, 4, 4, 8, 0x20, 1),
			[]LandingPad{{Range{0x1004, 0x100c}, 0x1028}}},
		{"udata4", append([]byte{0xff, 0xff, 0x03, 13}, 4, 0, 0, 0, 8, 0, 0, 0, 0x20, 0, 0, 0, 1), []LandingPad{{Range{0x1004, 0x100c}, 0x1020}}},
		{"no code there", append(header, 5, 4, 8, 0xff, 0x7f, 1), nil},
		{"other function's call", append(header, 4, 0x7f, 8, 0x20, 1), nil},
		{"cut short", append(header, 3, 4, 8, 0x20), nil},
		{"leaves the file", append(header, 0xff, 0xff, 0x7f, 4), nil},
		{"unknown encoding", []byte{0xff, 0xff, 0x0d, 4, 4, 8, 0x20, 1}, nil},
		{"indirect base", []byte{0x9b, 0, 0, 0, 0, 0xff, 0x01, 4, 4, 8, 0x20, 1}, nil},
		{"empty", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := image{sections: []part{code(".text", text, make([]byte, 0x80)...),
				{name: ".eh_frame", typ: elf.SHT_PROGBITS, flags: ao, addr: frame, data: eh},
				{name: ".gcc_except_table", typ: elf.SHT_PROGBITS, flags: ao, addr: table, data: tt.lsda}}}.open(t)
			got, err := f.LandingPads()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if p, err := (image{}).open(t).LandingPads(); p != nil || err != nil {
		t.Errorf("without .eh_frame: %v, %v", p, err)
	}
}
