// Package live traces resolved functions on this machine: it attaches their
// plans, runs the command to be traced, and gives executions and counts.
package live
