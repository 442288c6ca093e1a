package bpf

import "github.com/surehook/surehook/flow"

// Entry is one probe as the program sees it: struct entry in surehook.bpf.c.
type Entry struct {
	Disp, Delta            int64
	Op, Flags, Code, Width uint8
	Bit, Reg, Index, Scale uint8
}

// The flags of an Entry.
const (
	flagNegate = 1
	flagPCRel  = 2
)

// Encode writes a condition down for the program.
func Encode(c flow.Cond) Entry {
	e := Entry{
		Disp: c.Disp, Delta: c.Delta, Op: uint8(c.Op), Code: c.Code,
		Width: c.Width, Bit: c.Bit, Reg: c.Reg, Index: c.Index, Scale: c.Scale,
	}
	if c.Negate {
		e.Flags |= flagNegate
	}
	if c.PCRel {
		e.Flags |= flagPCRel
	}
	return e
}

// Cookie names the entries [first, first+count) to the program.
func Cookie(first, count uint32) uint64 { return uint64(count)<<32 | uint64(first) }

// Event is a record of the ring: struct event in surehook.bpf.c.
type Event struct {
	Time      uint64
	TGID, TID uint32
	Entry     uint32
	Undecided uint32
	Comm      [16]byte
}

// EventSize is the size of an Event in the ring, in bytes.
const EventSize = 40
