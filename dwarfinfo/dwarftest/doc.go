// Package dwarftest writes debug information in memory, so that a test states
// the entries it needs instead of hoping that a compiler makes them. It is for
// tests: what cannot be written panics.
package dwarftest
