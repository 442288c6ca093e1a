// Package flow turns machine code (x86-64 and arm64) into a control-flow
// graph of instructions: edges, jump tables, direct calls. It knows nothing
// of functions' names or of debug information.
//
// Instruction boundaries come from the encodings' layout, not from a table of
// known instructions. The targets of indirect jumps come from following
// values through the whole function: each jump ends in its table edges, among
// the tail calls, or in Graph.Unresolved; never silently without edges.
//
// All addresses are virtual addresses.
package flow
