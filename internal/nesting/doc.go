// Package nesting makes probes nest in the running kernel: an outer program
// does something in the middle of which inner probes fire. What their programs
// count themselves is compared with what the kernel says that it skipped.
//
// Every program acts in one thread of this process only, or in a few; in others
// it returns at once.
package nesting
