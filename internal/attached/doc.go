// Package attached judges what is attached on this machine: it leads from the
// places that package running lists back to hooks, and says which executions
// the probes there see and which they miss.
package attached
