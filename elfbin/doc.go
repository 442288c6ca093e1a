// Package elfbin reads an ELF file as probes see it: all of its symbols
// (never keyed by name alone), symbol versions, build id, the map from
// virtual addresses to file offsets, and where its debug information is.
//
// The package reads bytes, never the running system: every input may be
// hostile, no panic is reachable from it, and every error names file,
// section and offset.
package elfbin
