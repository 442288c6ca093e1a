// Package checklist reads .surehook.yaml: what a project has checked, on which
// kernels, with which files, and how bad findings may be.
package checklist
