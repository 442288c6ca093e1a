// Package misses says how often the kernel did not run BPF programs whose
// hooks were reached, and where it cannot say that.
//
// The kernel skips a program in two places. The attach layer skips a hook, as
// a kprobe that is hit while another kprobe is handled; it counts that, if at
// all, in the link. The program layer skips the program, because one runs
// already on the CPU or because it runs itself; that is recursion_misses. Which
// of these a kernel counts depends on its version, its configuration and both
// hooks. So it is tried: SelfTest makes known probes nest and sees which
// counters move. A count is a number only where that was seen.
package misses
