// Package benchtruth checks package bench: whether runs in a row rank alike,
// whether a measurement that shares no code with it gives the same figures, and
// in which order other kernels have the kinds.
package benchtruth
