// Package bench measures what each kind of hookpoint costs on this machine: the
// time that one call of a traced function or system call takes longer, with
// the way into the program and back, which the kernel's own statistics
// (bpf_stats) leave out.
//
// A process that does nothing else calls one function in a tight loop on one
// CPU, with and without a program attached, in turns. A figure is the median of
// the differences of all rounds with its interval of confidence; what the
// intervals cannot tell apart gets the same rank. Beside each figure stands how
// often the program ran of how often it should have.
package bench
