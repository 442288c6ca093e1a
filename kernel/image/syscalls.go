package image

import "strings"

// sysCallTable is the table of the system calls of the machine's own programs.
const sysCallTable = "sys_call_table"

// systemCalls gives the names ("sys_read") in the table of system calls, nil
// when that is not known. Only these get their events (init_syscall_trace in
// kernel/trace/trace_syscalls.c): those of 32-bit programs alone have metadata,
// but no event.
func (s *source) systemCalls() map[string]bool {
	table := s.variable(sysCallTable)
	names := map[string]bool{}
	targets := map[uint64]bool{}
	for _, p := range s.pointers(table.Low, table.High) {
		targets[p] = true
	}
	for _, y := range s.symbols {
		if !y.code || !targets[y.addr] {
			continue
		}
		// "__x64_sys_read", "__arm64_sys_read", or "sys_read" itself.
		if i := strings.Index(y.name, "sys_"); i == 0 || i > 0 && strings.HasPrefix(y.name, "__") && y.name[i-1] == '_' {
			names[y.name[i:]] = true
		}
	}
	if len(names) == 0 {
		return nil
	}
	return names
}

// registered tells whether the event of a system call is there when the kernel
// runs: that of any other event is.
func registered(calls map[string]bool, system, name string) bool {
	if system != "syscalls" || calls == nil {
		return true
	}
	call := strings.TrimPrefix(strings.TrimPrefix(name, "sys_enter_"), "sys_exit_")
	return calls["sys_"+call]
}
