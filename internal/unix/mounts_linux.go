package unix

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// cloneMount gives the mount of what f is, detached from all others. pid is a
// process that may have it in its mount namespace; 0: none.
func cloneMount(f *os.File, pid int) (tree int, err error) {
	tree, err = openTree(f)
	if errors.Is(err, unix.EINVAL) && pid != 0 { // the mount is not in our namespace
		return cloneIn(pid, f)
	}
	return tree, err
}

func openTree(f *os.File) (int, error) {
	return unix.OpenTree(int(f.Fd()), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
}

// cloneIn has a thread go into the mount namespace of a process, which alone
// may clone what is mounted there.
func cloneIn(pid int, f *os.File) (tree int, err error) {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return -1, err
	}
	defer ns.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with this function
		if unix.Gettid() == os.Getpid() {
			// The first thread never ends, and /proc/self speaks of it.
			defer runtime.UnlockOSThread()
			tree, err = cloneIn(pid, f)
			return
		}
		if err = unix.Unshare(unix.CLONE_FS); err != nil {
			return
		}
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
			return
		}
		tree, err = openTree(f)
	}()
	<-done
	return tree, err
}
