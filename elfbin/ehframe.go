package elfbin

import "debug/elf"

// Pointer encodings of .eh_frame (LSB Core, "DWARF Exception Header Encoding").
const (
	ehOmit     = 0xff
	ehIndirect = 0x80
	ehFormat   = 0x0f
	ehApply    = 0x70
	ehPCRel    = 0x10
)

// FDERanges gives the functions' ranges that .eh_frame describes, in the
// section's order: of a stripped file the best list of its functions. A
// function with a cold part has two. It is nil without an error when the file
// has no .eh_frame.
func (f *File) FDERanges() ([]Range, error) {
	r, err := f.ranges()
	return append([]Range(nil), r...), err
}

func (f *File) readFDERanges() ([]Range, error) {
	i := f.sectionIndex(".eh_frame")
	if i < 0 || !f.sections[i].stored() {
		return nil, nil
	}
	b, err := f.sectionData(i)
	if err != nil {
		return nil, err
	}
	e := ehFrame{file: f, section: f.sections[i], cursor: cursor{data: b}, cies: map[int]ehCIE{}}
	var out []Range
	if err := e.walk(func(fde ehFDE) { out = append(out, fde.Range) }); err != nil {
		return nil, err
	}
	return out, nil
}

// ehFrame walks the records of .eh_frame.
type ehFrame struct {
	file    *File
	section SectionHeader
	cursor
	cies map[int]ehCIE // the CIEs read, by offset
}

// ehCIE is what a CIE says of the records that refer to it.
type ehCIE struct {
	pointer   byte // encoding of a function's range
	lsda      byte // encoding of the pointer to its exception table, ehOmit without one
	augmented bool // the records have augmentation data
}

// ehFDE is one record: a function, or a part of one.
type ehFDE struct {
	Range
	lsda uint64 // virtual address of its exception table, 0 without one
}

func (e *ehFrame) bad(at int, format string, args ...any) error {
	return e.file.bad(e.section.Name, e.section.Offset+uint64(at), format, args...)
}

// walk gives the records of functions, in the section's order.
func (e *ehFrame) walk(visit func(ehFDE)) error {
	all := e.data
	for e.at < len(all) {
		start := e.at
		length := uint64(e.u32())
		if length == 0xffffffff {
			length = e.u64()
		}
		if length == 0 && !e.short {
			continue // a terminator: crtend's, or one in the middle of a -r link
		}
		body := e.at
		if e.short || length < 4 || length > uint64(len(all)-body) {
			return e.bad(start, "record of %#x bytes leaves the section", length)
		}
		end := body + int(length)
		e.data = all[:end]
		id := int(e.u32())
		if id != 0 { // zero is a CIE: read when an FDE refers to it
			r, err := e.fde(start, body-id)
			if err != nil {
				return err
			}
			if !r.Empty() {
				visit(r)
			}
		}
		e.data, e.at = all, end
	}
	return nil
}

// fde reads the FDE whose record is at start; the cursor is behind the CIE
// pointer.
func (e *ehFrame) fde(start, cie int) (ehFDE, error) {
	common, ok := e.cies[cie]
	if !ok {
		var err error
		if common, err = e.cie(cie); err != nil {
			return ehFDE{}, err
		}
		e.cies[cie] = common
	}
	encoding := common.pointer
	place := e.section.Addr + uint64(e.at)
	low, ok1 := e.value(encoding & ehFormat)
	size, ok2 := e.value(encoding & ehFormat)
	apply := encoding & ehApply
	if !ok1 || !ok2 || encoding&ehIndirect != 0 || apply != 0 && apply != ehPCRel {
		return ehFDE{}, e.bad(start, "pointer encoding %#x of a function's range is not read", encoding)
	}
	if e.short {
		return ehFDE{}, e.bad(start, "record is cut short")
	}
	if width := encoding & 7; width == 2 || width == 3 {
		size &= 1<<(8<<(width-1)) - 1 // a size is never negative
	}
	if apply == ehPCRel && (low != 0 || e.file.typ == elf.ET_REL) {
		low += place
	}
	if low == 0 || low+size < low {
		return ehFDE{}, nil // a function that the linker dropped
	}
	lsda, err := e.lsda(start, common)
	return ehFDE{Range{low, low + size}, lsda}, err
}

// cie reads the CIE whose record is at the offset.
func (e *ehFrame) cie(at int) (ehCIE, error) {
	out := ehCIE{lsda: ehOmit}
	if at < 0 || at >= len(e.data) {
		return out, e.bad(e.at, "common information is outside of the section")
	}
	c := cursor{data: e.data, at: at}
	if c.u32() == 0xffffffff {
		c.u64()
	}
	id, version, augmentation := c.u32(), c.u8(), c.cstring()
	if c.short || id != 0 || version != 1 && version != 3 {
		return out, e.bad(at, "common information has version %d", version)
	}
	c.uleb() // code alignment
	c.sleb() // data alignment
	if version == 1 {
		c.u8() // return address register
	} else {
		c.uleb()
	}
	if augmentation != "" && augmentation[0] == 'z' {
		out.augmented = true
		c.uleb()
		for _, a := range augmentation[1:] {
			switch a {
			case 'R':
				out.pointer = c.u8()
			case 'L':
				out.lsda = c.u8()
			case 'P':
				if _, ok := c.pointer(c.u8()); !ok {
					return out, e.bad(at, "encoding of the personality routine is not read")
				}
			case 'S', 'B', 'G':
			default:
				return out, e.bad(at, "augmentation %q is not read", augmentation)
			}
		}
	}
	if c.short {
		return out, e.bad(at, "common information is cut short")
	}
	return out, nil
}

// pointer skips a value of an encoding.
func (c *cursor) pointer(encoding byte) (uint64, bool) {
	if encoding == ehOmit {
		return 0, true
	}
	return c.value(encoding & ehFormat)
}

// value reads a value of a format, sign-extended where it is signed.
func (c *cursor) value(format byte) (uint64, bool) {
	switch format {
	case 0x0, 0x4, 0xc: // absptr, udata8, sdata8
		return c.u64(), true
	case 0x1:
		return c.uleb(), true
	case 0x2:
		return uint64(c.u16()), true
	case 0x3:
		return uint64(c.u32()), true
	case 0x9:
		return uint64(c.sleb()), true
	case 0xa:
		return uint64(int64(int16(c.u16()))), true
	case 0xb:
		return uint64(int64(int32(c.u32()))), true
	}
	return 0, false
}
