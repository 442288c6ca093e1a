package dwarfinfo

import "testing"

// FuzzLocationList: an expression inside the section, or none.
func FuzzLocationList(f *testing.F) {
	f.Add([]byte{lleOffsetPair, 0, 4, 1, opReg0, lleEndOfList}, uint8(5), uint64(2))
	f.Add([]byte{lleBaseAddress, 1, 0, 0, 0, 0, 0, 0, 0, lleStartLength, 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0x91, 0}, uint8(5), uint64(2))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, opReg0 + 5}, uint8(4), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, version uint8, pc uint64) {
		u := &unit{header: header{version: uint16(version), enc: encoding{addrSize: 8}}, secs: &sections{}}
		p := &ParamReader{u: u, loc: data, loclists: data}
		expr, ok := p.list(0, pc)
		if !ok && expr != nil {
			t.Fatal("an expression that does not hold")
		}
		placeOf(expr)
	})
}
