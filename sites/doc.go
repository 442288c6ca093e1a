// Package sites is the core: from a hook and a binary to the complete set of
// places where an execution of the hooked function begins, and a verdict.
//
// It thinks in control-flow edges, not in addresses: an inlined copy is
// entered along edges from code outside the copy, and each such edge is
// counted exactly once.
package sites
