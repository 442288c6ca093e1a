// Package bpfobj reads what people ship: what a compiled BPF object hooks, and
// which arguments, fields and registers its programs read. Objects are also
// found inside of executables, where skeletons keep them as data.
//
// Nothing here asks a kernel; package check compares with kernels. Everything
// is read through an io.ReaderAt, and no bytes of it are trusted.
package bpfobj
