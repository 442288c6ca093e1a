// Package fieldreport writes docs/field-report.md: which of the tools that
// Debian ships break on which of its kernels, and why.
package fieldreport
