package unix

import (
	"os"

	"golang.org/x/sys/unix"
)

// Pin lets a process, or thread, run on one CPU only.
func Pin(pid, cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(pid, &set))
}

// CPUs are those that this process may run on, in order.
func CPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	var cpus []int
	for i := 0; len(cpus) < set.Count(); i++ {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus, nil
}

// PinThread pins the calling thread, which should be locked; restore gives it
// the CPUs back that it had.
func PinThread(cpu int) (restore func(), err error) {
	var had unix.CPUSet
	if err := unix.SchedGetaffinity(0, &had); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	return func() { _ = unix.SchedSetaffinity(0, &had) }, Pin(0, cpu) // they were allowed before
}

// initialPIDs is the number of the initial PID namespace (PROC_PID_INIT_INO of
// include/linux/proc_ns.h).
const initialPIDs = 0xEFFFFFFC

// InitialPIDs tells whether processes have the numbers here by which the kernel
// and BPF programs know them.
func InitialPIDs() bool {
	_, ino, err := Namespace("/proc/self/ns/pid")
	return err == nil && ino == initialPIDs
}
