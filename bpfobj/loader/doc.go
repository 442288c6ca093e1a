// Package loader finds out what an executable does with the BPF programs that
// it carries before they are in the kernel: which of them it may leave out,
// and which it puts elsewhere than their sections say. It reads the machine
// code that calls libbpf; nothing is executed.
package loader
