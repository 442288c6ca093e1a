// Package unix is the only importer of golang.org/x/sys/unix: the few system
// calls surehook makes itself, in the shape it needs them.
package unix
