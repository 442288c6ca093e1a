// Package flow turns machine code (x86-64 and arm64) into a control-flow
// graph of instructions: edges, jump tables, direct calls. It knows nothing
// of functions' names or of debug information.
//
// All addresses are virtual addresses.
package flow
