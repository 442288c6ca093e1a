// Package attach turns a plan of sites into live links: one uprobe_multi
// link with a cookie a probe where the kernel has it, perf-event uprobes
// otherwise. All or nothing unless asked for best effort.
package attach
