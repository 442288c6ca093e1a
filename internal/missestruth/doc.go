// Package missestruth compares what misses says of nested probes, and what
// check predicts of them, with what their programs count themselves, on the
// kernels of virtual machines.
package missestruth
