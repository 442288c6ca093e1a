// Package fieldtruth compares what check says of the programs of Debian's
// libbpf-tools with what kernels do in virtual machines: whether each can be
// loaded and attached where it says, and what it reads there.
package fieldtruth
