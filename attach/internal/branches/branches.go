//go:build amd64 || arm64

// Package branches has machine code whose first instructions are branches of
// every kind, for the tests of package attach: the processor itself says
// which arm is taken.
package branches

import (
	"unsafe"

	"github.com/surehook/surehook/flow"
)

// Regs are what Call sets before it jumps to a stub.
type Regs struct {
	Flags uint64     // arithmetic flags of RFLAGS, or NZCV
	R     [16]uint64 // by DWARF number; the stack pointer is left alone
}

// Call sets the registers and calls the stub at fn. It gives 1 if the stub's
// branch is taken, 0 if not.
//
//go:noescape
func Call(fn uintptr, r *Regs) uint64

// stubs is where the stubs are, spacing bytes each.
func stubs() uintptr

// at is the address of stub n.
func at(n int) uintptr { return stubs() + uintptr(n)*spacing }

// Stub is one branch.
type Stub struct {
	Name string
	Addr uintptr   // in this process
	Cond flow.Cond // as it is taken
	Sets []Regs    // worth trying
}

// Address gives the value a register must have to lead to a table.
func Address(p *[2]uintptr) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }
