// Package running lists the BPF tracing programs that are loaded on this
// machine and where each of them is attached, whoever did it: by links, and by
// perf events without one. It tells who holds them (processes, pins) and what
// the kernel counted; what the kernel does not tell is said with the reason.
//
//	inv, err := running.Read(running.Options{})
//	for _, a := range inv.Attachments {
//		p := inv.Program(a.Program)     // name, type, counters, holders
//		for _, place := range a.Places { // a function, an event, or a file and an offset
//		}
//	}
//
// Read asks the kernel and /proc once. Nothing is loaded, attached or changed.
package running
