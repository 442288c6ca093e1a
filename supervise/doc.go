// Package supervise keeps hooks of user-space functions attached while the
// files change: when a library is replaced by another file or rewritten in
// place, when a symbolic link leads elsewhere, when it is deleted and comes
// back, when it appears only later, in overlays of containers as on the host.
//
// AddInContainers supervises a path in the roots of other processes as well:
// of containers that are there, and of those that come later.
//
// A hook names a path. Whatever file the path leads to is a build; each build
// is resolved anew, as its functions are elsewhere and inlined elsewhere, and
// attached beside the builds before it, which running processes still
// execute. What one cannot attach to (a file that cannot be read, a function
// that is gone) leaves the state as it was and is told as a Finding.
//
//	s, err := supervise.New(supervise.Options{NoGap: true, Notify: func(e supervise.Event) { log.Println(e) }})
//	id, err := s.Add(h)        // hook.Parse("uprobe:/usr/lib/libx.so:f")
//	err = s.Run(ctx)           // until ctx ends
//	state, err := s.State()    // counts, builds, verdicts, gaps; any time
//	err = s.Close()
//
// Without NoGap there is a moment between a new file and its probes: it is
// measured and told as a Gap, which has the processes that may have executed
// the function meanwhile. With it every open of a file in the directories
// concerned waits until the file is known (fanotify), so that the first
// execution in a new file is counted; other opens there take some 10 µs more.
// If this process dies the kernel lets all through.
//
// A probed file that is rewritten in place would make new processes execute
// the old first instruction: the kernel copies it once. A read lease on each
// file holds the writer up until the probes are off it. With NoGap processes
// that have it mapped stand still until the new content is probed.
//
// The signal SIGIO is used for that; a program that supervises should not use it
// for something else.
//
// # What it needs
//
// Attaching needs CAP_BPF and CAP_PERFMON. Leases on files of others need
// CAP_LEASE, NoGap and mounts of our own CAP_SYS_ADMIN, stopping processes and reading
// their memory CAP_SYS_PTRACE. Without NoGap, what is missing is told as a
// Finding and does without.
package supervise
