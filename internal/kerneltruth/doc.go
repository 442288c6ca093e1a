// Package kerneltruth compares what check says of hooks of a kernel with what
// that kernel does, in a virtual machine: whether probes can be attached, and
// how often the places of a plan are executed.
package kerneltruth
