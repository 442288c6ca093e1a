// Package soak replaces a library again and again under load, in every way
// that software is installed, and compares what was counted with what the
// callers themselves have written down.
package soak
