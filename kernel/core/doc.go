// Package core resolves CO-RE relocations: what of a BPF object's types a
// kernel has, and where. The rules are those of libbpf (relo_core.c), written
// for the types of package kernel.
package core
