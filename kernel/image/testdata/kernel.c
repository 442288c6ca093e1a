// A program with the tables of a kernel: what package image reads of them.
#define SECTION(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))

const char linux_banner[] = "Linux version 6.1.0-test (debian-kernel@lists.debian.org) #1 SMP\n";

struct list_head { struct list_head *next, *prev; };
struct trace_entry { unsigned short type; unsigned char flags, preempt_count; int pid; };
struct trace_event_fields {
	const char *type;
	union {
		struct { const char *name; int size, align, is_signed, filter_type, len; };
		int (*define_fields)(void *);
	};
};
struct trace_event_class { const char *system; void *probe; struct trace_event_fields *fields_array; };
struct tracepoint { const char *name; int key; };
struct trace_event_call {
	struct list_head list;
	struct trace_event_class *class;
	union { const char *name; struct tracepoint *tp; };
	void *data;
};
struct syscall_metadata { const char *name; int syscall_nr; int nb_args; const char **types; const char **args; };

struct tracepoint __tracepoint_sched_switch = { "sched_switch" };
static void *__bpf_trace_tp_map_sched_switch SECTION("__bpf_raw_tp_map") = &__tracepoint_sched_switch;
struct tracepoint __tracepoint_not_for_bpf = { "not_for_bpf" };
static struct trace_event_fields switch_fields[] = {
	{ "char[TASK_COMM_LEN]", { { "comm", 16, 1, 0, 0, 16 } } },
	{ "pid_t", { { "pid", 4, 4, 1 } } },
	{ "long", { { "state", 8, 8, 1 } } },
	{ 0 },
};
static struct trace_event_class event_class_sched_switch = { "sched", 0, switch_fields };
static struct trace_event_call event_sched_switch = { .class = &event_class_sched_switch, .tp = &__tracepoint_sched_switch };

static const char *open_types[] = { "const char *", "int" }, *open_args[] = { "filename", "flags" };
static struct syscall_metadata __syscall_meta_open = { "sys_open", 2, 2, open_types, open_args };
static struct trace_event_fields enter_fields[] = { { (const char *)~0UL }, { 0 } };
struct trace_event_class event_class_syscall_enter = { "syscalls", 0, enter_fields };
static struct trace_event_call event_enter_open = { .class = &event_class_syscall_enter, .name = "sys_enter_open", .data = &__syscall_meta_open };
struct trace_event_class event_class_ftrace = { "ftrace", 0, 0 };
static struct trace_event_call event_function = { .class = &event_class_ftrace, .name = "function" };
struct trace_event_call *const events[] SECTION("_ftrace_events") = { &event_sched_switch, &event_enter_open, &event_function };

int state;

NOINLINE void __traceiter_sched_switch(int next) { state += next; __asm__ volatile("" ::: "memory"); }
static inline void trace_sched_switch(int next) { if (state) ((void (*volatile)(int))__traceiter_sched_switch)(next); }

NOINLINE int vfs_open(int n) { state ^= n; __asm__ volatile("" ::: "memory"); return n + state; }
int do_sys_open(int n) { return vfs_open(n * 3) + 1; }
__attribute__((section(".noinstr.text"))) NOINLINE int enter_idle(int n) { __asm__ volatile("" ::: "memory"); return n; }
NOINLINE int unsafe(int n) { __asm__ volatile("" ::: "memory"); return n + 2; }
static NOINLINE int twice(int n, int unused) { __asm__ volatile("" ::: "memory"); return 2 * n; }
__attribute__((section(".init.text"))) int start_kernel(int n) { return do_sys_open(n) + twice(n, 7); }
int schedule(int n) { trace_sched_switch(n); return twice(n, 8); }

// A jump label as arch/x86/include/asm/jump_label.h has it.
static inline int slow_path(int n) { vfs_open(n); return vfs_open(n + 1); }
static inline __attribute__((always_inline)) _Bool static_branch(void)
{
	__asm__ goto("1: .byte 0x0f,0x1f,0x44,0x00,0x00\n"
		".pushsection __jump_table, \"aw\"\n.balign 8\n.long 1b - ., %l[yes] - .\n.quad 0\n.popsection"
		: : : : yes);
	return 0;
yes:
	return 1;
}
NOINLINE int branchy(int n) { return static_branch() ? slow_path(n) : n; }

// A jump label of a tracepoint's key.
static inline __attribute__((always_inline)) _Bool point_on(void)
{
	__asm__ goto("1: .byte 0x0f,0x1f,0x44,0x00,0x00\n"
		".pushsection __jump_table, \"aw\"\n.balign 8\n.long 1b - ., %l[yes] - .\n.quad __tracepoint_sched_switch + 8 - .\n.popsection"
		: : : : yes);
	return 0;
yes:
	return 1;
}
NOINLINE int passes(int n) { if (__builtin_expect(point_on(), 0)) __traceiter_sched_switch(n); return vfs_open(n) + 1; }
NOINLINE int may_pass(int n) { if (n && point_on()) __traceiter_sched_switch(n); return n; }
NOINLINE int passes_if(int n)
{
	if (__builtin_expect(point_on(), 0) && n > 1 && state > 2 && state < n)
		__traceiter_sched_switch(n);
	return n;
}

// Traps of warnings and of what ends the machine.
#define TRAP(flags) __asm__ volatile("1: ud2\n.pushsection __bug_table, \"aw\"\n.long 1b - .\n.word " #flags ", 0\n.popsection")
NOINLINE int warns(int n) { if (n) { TRAP(1); return 0; } return vfs_open(n) + 1; }
NOINLINE int refuses(int n) { int err; if (n > 9) return -22; err = vfs_open(n); if (err < 0) return err; return unsafe(n) + 1; }
NOINLINE int dies(int n) { if (n) { TRAP(0); __builtin_unreachable(); } return vfs_open(n) + 1; }
NOINLINE __attribute__((noreturn)) void panic(int n) { vfs_open(n); for (;;); }
NOINLINE __attribute__((noreturn)) void give_up(int n) { panic(n + 1); }
NOINLINE int may_give_up(int n) { if (n) give_up(n); return vfs_open(n) + 1; }

// An alternative that replaces a call.
NOINLINE int altered(int n)
{
	__asm__ volatile("1: call unsafe\n2:\n.pushsection .altinstructions, \"a\"\n.long 1b - ., 3f - ., 0\n.byte 2b - 1b, 4f - 3f\n.popsection\n"
		".pushsection .text.replace, \"ax\"\n3: nop\n4:\n.popsection" ::: "memory", "rax", "rcx", "rdx", "rsi", "rdi");
	return vfs_open(n) + 1;
}

void *const mcount[] SECTION("__mcount_loc") = { (char *)vfs_open, (char *)do_sys_open + 4, (char *)start_kernel, (char *)schedule };
void *const blacklist[] SECTION("_kprobe_blacklist") = { unsafe };

void _start(void) { start_kernel(state); schedule(state); enter_idle(unsafe(state)); branchy(state); for (;;); }
