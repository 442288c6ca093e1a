// Package kernel holds a kernel build as probes see it: which functions there
// are, under which symbols, where they were inlined, what a probe of each kind
// can be put on. The facts come from the running kernel, from a vmlinux file
// with its modules, or from an atlas; an answer does not depend on which.
//
// What a source cannot tell is not there as an empty list: Kernel.Missing says
// which topics are not known, and why.
package kernel
