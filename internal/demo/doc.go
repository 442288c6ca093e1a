// Package demo holds example programs in which a plain probe misses calls,
// and tells their stories: what is lost, why, and what to attach instead.
//
// The C sources are in src. The programs are built from them by "go generate"
// for x86-64 and arm64 and kept in archives, so that nobody needs a compiler to
// see the demo. manifest.json says which compiler made them from which sources.
package demo

//go:generate go run ./gen
