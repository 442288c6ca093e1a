package bench

import "github.com/surehook/surehook/internal/caller"

// Kind is a kind of hookpoint.
type Kind struct {
	Name string // as bpftrace or libbpf name it, with the variant
	// User tells that a function of a program is traced, else a system call.
	User bool
}

// Kinds are all that can be measured, in the order of reports: what is put on a
// system call, then what is put on a function of a program. Under "nothing"
// nothing is attached: it is measured like all others and shows what the method
// itself sees where there is nothing to see.
func Kinds() []Kind {
	var out []Kind
	for _, k := range table() {
		out = append(out, Kind{Name: k.name, User: k.user()})
	}
	return out
}

// mechanism is how a program is attached.
type mechanism uint8

const (
	nothing mechanism = iota
	kprobe
	kretprobe
	kprobeMulti
	kretprobeMulti
	fentry
	fexit
	tracepoint
	rawTracepoint
	btfTracepoint
	lsm
	uprobe
	uretprobe
	uprobeMulti
	uretprobeMulti
)

// String is the name of the kind of hookpoint.
func (m mechanism) String() string {
	return [...]string{
		nothing: "nothing", kprobe: "kprobe", kretprobe: "kretprobe", kprobeMulti: "kprobe.multi", kretprobeMulti: "kretprobe.multi",
		fentry: "fentry", fexit: "fexit", tracepoint: "tracepoint", rawTracepoint: "raw tracepoint", btfTracepoint: "tp_btf", lsm: "lsm",
		uprobe: "uprobe", uretprobe: "uretprobe", uprobeMulti: "uprobe.multi", uretprobeMulti: "uretprobe.multi",
	}[m]
}

// armed is how a kprobe gets control (/sys/kernel/debug/kprobes/list).
type armed string

const (
	anyhow   armed = "" // as the kernel likes it at the place
	byInt3   armed = "int3"
	byJump   armed = "jump" // "[OPTIMIZED]"
	byFtrace armed = "ftrace"
)

// kind is a row of the table.
type kind struct {
	name  string
	mech  mechanism
	call  caller.Call
	place string
	armed armed // of kprobes inside the function
}

func (k kind) user() bool { return k.call != caller.Getpgid }

// everySyscall tells that the program runs at all system calls.
func (k kind) everySyscall() bool { return k.mech == rawTracepoint || k.mech == btfTracepoint }

// The places in words.
const (
	atEntry = "the entry of getpgid's function"
	inside  = "an instruction that getpgid executes"
)

// table is what can be measured. Names of instructions are those of x86.
func table() []kind {
	kinds := []kind{
		{name: "nothing (system call)", mech: nothing, place: "the system call getpgid"},
		{name: "raw tracepoint", mech: rawTracepoint, place: "sys_enter, all system calls"},
		{name: "tp_btf", mech: btfTracepoint, place: "sys_enter, all system calls"},
		{name: "tracepoint", mech: tracepoint, place: "syscalls:sys_enter_getpgid"},
		{name: "fentry", mech: fentry, place: atEntry},
		{name: "fexit", mech: fexit, place: "the return of getpgid's function"},
		{name: "lsm", mech: lsm, place: "task_getpgid"},
		{name: "kprobe.multi", mech: kprobeMulti, place: atEntry},
		{name: "kretprobe.multi", mech: kretprobeMulti, place: "the return of getpgid's function"},
		{name: "kprobe", mech: kprobe, place: atEntry},
		{name: "kprobe (jump)", mech: kprobe, place: inside, armed: byJump},
		{name: "kprobe (int3)", mech: kprobe, place: inside, armed: byInt3},
		{name: "kretprobe", mech: kretprobe, place: "the return of getpgid's function"},
		{name: "nothing (function)", mech: nothing, call: caller.Nop, place: "a function of a program"},
	}
	for _, v := range []struct {
		name string
		mech mechanism
	}{{"uprobe", uprobe}, {"uprobe.multi", uprobeMulti}} {
		for _, i := range instructions() {
			kinds = append(kinds, kind{name: v.name + " (" + i.name + ")", mech: v.mech, call: i.call, place: "a function that begins with " + i.name})
		}
	}
	return append(kinds,
		kind{name: "usdt", mech: uprobe, call: caller.USDT, place: "a nop behind a semaphore"},
		kind{name: "usdt.multi", mech: uprobeMulti, call: caller.USDT, place: "a nop behind a semaphore"},
		kind{name: "uretprobe", mech: uretprobe, call: caller.Nop, place: "the return of a function that begins with nop"},
		kind{name: "uretprobe.multi", mech: uretprobeMulti, call: caller.Nop, place: "the return of a function that begins with nop"},
	)
}

// instruction is what a user function begins with.
type instruction struct {
	name string
	call caller.Call
}
