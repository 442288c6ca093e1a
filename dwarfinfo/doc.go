// Package dwarfinfo is a fast DWARF 4 and 5 cursor for one question: which
// functions are there, where do their bodies and their inlined copies lie,
// and which source line does each instruction belong to.
//
// All addresses are virtual addresses of the file the debug information
// describes (not file offsets, not run-time addresses).
package dwarfinfo
