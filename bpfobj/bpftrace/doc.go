// Package bpftrace reads scripts of bpftrace: where their probes are put, and
// what their actions read of arguments, events, structs and registers. It
// understands the language of bpftrace 0.17 and what later versions added; a
// script whose syntax no version takes is an error with line and column.
// Functions, types of maps and the like are not checked: a script may be read
// here and still be rejected by a version of bpftrace.
package bpftrace
