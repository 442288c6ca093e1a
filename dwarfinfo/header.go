package dwarfinfo

import (
	"errors"
	"fmt"
)

var (
	errUnitLength = errors.New("unit is longer than what is left of the section; units after it cannot be found")
	errAddrSize   = errors.New("address size is neither 4 nor 8 bytes")
)

// header is a unit header (DWARF5 §7.5.1) and where its entries lie.
type header struct {
	off     uint64 // of the header in .debug_info
	first   int    // of the first entry
	end     int    // after the unit
	abbrev  uint64 // in .debug_abbrev
	enc     encoding
	version uint16
	kind    uint8  // DW_UT_*, 0 before DWARF 5
	id      uint64 // dwo_id or type signature, 0 where there is none
	typeOff uint64 // of a type unit: the type's entry, from off
	gap     *Gap   // why the entries cannot be read
}

// typeUnit tells whether the unit only describes types, which Load skips.
func (h *header) typeUnit() bool {
	return h.kind == unitType || h.kind == unitSplitType
}

// readHeaders finds all units. Only a damaged length loses the units after
// it, because nothing else says where the next one begins.
func (s *sections) readHeaders() (units []header, lost *Gap) {
	lost = s.eachHeader(0, func(h *header) bool {
		if !h.typeUnit() {
			units = append(units, *h)
		}
		return true
	})
	return units, lost
}

// readTypeHeaders finds the type units. kind is unitType in .debug_types, which
// has no others and does not say it, else 0.
func (s *sections) readTypeHeaders(kind uint8) (units []header) {
	_ = s.eachHeader(kind, func(h *header) bool {
		if h.typeUnit() && h.gap == nil {
			units = append(units, *h)
		}
		return true
	})
	return units
}

// eachHeader calls f for each header until that returns false. kind is that
// of units that do not say it.
func (s *sections) eachHeader(kind uint8, f func(*header) bool) (lost *Gap) {
	return s.headersFrom(0, kind, f)
}

// headersFrom is eachHeader from one of them on.
func (s *sections) headersFrom(start int, kind uint8, f func(*header) bool) (lost *Gap) {
	var w headerWindow
	size := s.infoSize()
	for start < size {
		c, err := w.at(s, start)
		if err != nil {
			return &Gap{Kind: GapBadUnit, Unit: -1, Offset: uint64(start), Detail: err.Error()}
		}
		n, is64 := c.length()
		after := c.base + c.pos
		if n == 0 && c.err == nil {
			start = after
			continue // padding between units
		}
		if c.err == nil && n > uint64(size-after) {
			c.err = errUnitLength
		}
		if c.err != nil {
			return &Gap{Kind: GapBadUnit, Unit: -1, Offset: uint64(start), Detail: c.err.Error()}
		}
		h := header{off: uint64(start), end: after + int(n), kind: kind}
		h.enc.is64 = is64
		c.data = c.data[:min(len(c.data), h.end-c.base)]
		h.read(c)
		start = h.end
		if !f(&h) {
			break
		}
	}
	return nil
}

func (h *header) read(c cursor) {
	h.version = c.u16()
	if c.err == nil && (h.version < 2 || h.version > 5) {
		h.setGap(GapVersion, fmt.Sprintf("version %d", h.version))
		return
	}
	if h.version >= 5 {
		h.kind = c.u8()
		h.enc.addrSize = c.u8()
		h.abbrev = c.offset(h.enc.is64)
	} else {
		h.abbrev = c.offset(h.enc.is64)
		h.enc.addrSize = c.u8()
	}
	h.enc.v2 = h.version == 2
	switch h.kind {
	case unitSkeleton, unitSplitCompile:
		h.id = c.u64()
	case unitType, unitSplitType:
		h.id = c.u64()
		h.typeOff = c.offset(h.enc.is64)
	}
	if c.err != nil {
		h.setGap(GapBadUnit, c.err.Error())
		return
	}
	if h.enc.addrSize != 4 && h.enc.addrSize != 8 {
		h.setGap(GapBadUnit, fmt.Sprintf("%v (%d)", errAddrSize, h.enc.addrSize))
	}
	h.first = c.base + c.pos
}

func (h *header) setGap(kind GapKind, detail string) {
	h.gap = &Gap{Kind: kind, Offset: h.off, Detail: detail}
}
