// Package live is the running kernel as package kernel's Kernel, read through
// the file systems of /proc and /sys. It reads what is asked for when it is
// asked for. Without a right to read something the topic is missing, with what
// to do about it.
//
// The running kernel does not say where functions were inlined. Join adds that
// from a vmlinux or an atlas entry of the very same build.
package live
