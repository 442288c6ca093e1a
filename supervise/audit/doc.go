// Package audit looks at every uprobe of the machine, whoever attached it, and
// tells whether it is still on the file that programs run: which probes are on
// files that are gone, which processes run a newer file without them, which
// run the probed file without the breakpoint, and which mounts are held busy.
//
//	inv, err := running.Read(running.Options{})
//	probes, unread, err := audit.Probes(inv)
//
// Nothing is attached or changed. The pages of probed files are mapped into this
// process for a moment, as the kernel then installs what is attached there.
package audit
