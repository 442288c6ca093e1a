// Package image reads a kernel's files into a kernel.Snapshot: a vmlinux with
// or without debug information, with its configuration. It asks nothing of the
// running system.
package image
