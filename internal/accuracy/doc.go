// Package accuracy measures how exactly surehook counts the executions of
// every function of real programs, against two oracles, beside its peers.
//
// Unperturbed oracle: the truth for an optimised build is the number of hits
// of each function's symbol in the -O0 build of the same source, run with the
// same deterministic workload. What cannot be the same in two builds (hashes
// of addresses, clocks, random seeds) is fixed by a forced include; what is
// left is found by counting the -O0 build twice, with and without address
// space randomisation, and listed.
//
// Marked oracle: every function begins with an asm statement that leaves a
// nop and its address in a section of its own, copied with the function
// wherever the compiler inlines it. The hits of these nops are the truth for
// the very binary that is measured.
//
// Everything slow is cached under keys made of its inputs: sources, builds,
// truths and the peers' answers. Only surehook itself runs every time.
package accuracy
