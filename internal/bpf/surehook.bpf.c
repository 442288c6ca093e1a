//go:build ignore

// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
//
// One program for every breakpoint: the cookie names the probes that share
// it, each probe's condition is decided from the saved registers, and what
// holds is counted (and told, if events are wanted).
//
// Nothing is included, so that clang alone rebuilds it. Helpers have the
// numbers of the kernel's bpf.h, which are ABI.

typedef unsigned char __u8;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef long long __s64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define inline __attribute__((always_inline)) inline

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_F_RDONLY_PROG = 1 << 7,
};

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_get_current_comm)(void *buf, __u32 size) = (void *)16;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_read_user)(void *dst, __u32 size, const void *src) = (void *)112;
static long (*bpf_probe_read_kernel)(void *dst, __u32 size, const void *src) = (void *)113;
static long (*bpf_get_ns_current_pid_tgid)(__u64 dev, __u64 ino, void *nsdata, __u32 size) = (void *)120;
static void *(*bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static long (*bpf_copy_from_user)(void *dst, __u32 size, const void *src) = (void *)148;
static __u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;

/* The context is the saved user registers: arch/x86/include/asm/ptrace.h,
 * arch/arm64/include/uapi/asm/ptrace.h. Both layouts are ABI for BPF. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	__u64 ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define PC ip
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
#define PC pc
#else
#error "register layout of this architecture is not known"
#endif

/* flow.CondOp, in its order. */
enum op {
	ALWAYS,
	X86_CC,
	X86_RCXZ,
	X86_LOOP,
	X86_LOOPE,
	X86_LOOPNE,
	ARM64_CC,
	ARM64_CBZ,
	ARM64_TBZ,
	REG_TARGET,
	MEM_TARGET,
};

enum { NEGATE = 1, PCREL = 2 };
enum { NO_REG = 0xff };

/* An answer that cannot be had is never a "no". */
enum answer { NO, YES, UNDECIDED };

struct entry { /* attach.encodeEntry writes it */
	__s64 disp;
	__s64 delta;
	__u8 op, flags, code, width, bit, reg, index, scale;
};

struct counter {
	__u64 hits;
	__u64 undecided;
};

struct event {
	__u64 time;
	__u32 tgid, tid;
	__u32 probe;
	__u32 undecided;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

/* Per CPU so that busy sites do not fight for a cache line. A uprobe program
 * may be preempted by another one on its CPU, hence the atomic additions:
 * they make the count exact wherever the program runs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* The descendants of want_tgid, by tgid (of the initial namespace). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} family SEC(".maps");

/* Descendants that found no room there. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} strayed SEC(".maps");

/* Not 0 while this CPU puts an event into the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} telling SEC(".maps");

/* Set before loading: the verifier drops what is not asked for, helpers the
 * running kernel does not have among it. */
const volatile __u32 want_events = 0;
const volatile __u32 want_tgid = 0;    /* 0: every process */
const volatile __u64 pidns_dev = 0;    /* want_tgid is of this PID namespace; */
const volatile __u64 pidns_ino = 0;    /* 0: of the initial one */
const volatile __u32 want_family = 0;  /* and its descendants */
const volatile __u32 fixed_cookie = 0; /* use .._value: no bpf_get_attach_cookie before Linux 5.15 */
const volatile __u64 fixed_cookie_value = 0;
const volatile __u32 sleepable = 0;    /* may fault pages in */
const volatile __u32 in_kernel = 0;    /* probes of the kernel's own code */

/* A breakpoint's probes are entries [cookie, cookie + cookie >> 32). More
 * than these share an address through several breakpoints; a bound keeps the
 * verifier's work small. Go's maxGroup. */
enum { MAX_GROUP = 16 };

/* A load from the context must have a constant offset; the compiler must not
 * merge the cases into one load at a computed address. */
#define LOAD(ctx, off)                                            \
	({                                                        \
		__u64 v_;                                         \
		asm volatile("%0 = *(u64 *)(%1 + %2)"             \
			     : "=r"(v_)                           \
			     : "r"(ctx), "i"(off));               \
		v_;                                               \
	})
#define FIELD(ctx, f) LOAD(ctx, __builtin_offsetof(struct pt_regs, f))

struct value {
	__u64 v;
	int ok;
};

#define CASE(n, f)                          \
	case n:                             \
		return (struct value){ FIELD(ctx, f), 1 };

/* reg reads a register by its DWARF number. */
static inline struct value reg(struct pt_regs *ctx, __u8 n)
{
	switch (n) {
#if defined(__TARGET_ARCH_x86)
	CASE(0, ax)
	CASE(1, dx)
	CASE(2, cx)
	CASE(3, bx)
	CASE(4, si)
	CASE(5, di)
	CASE(6, bp)
	CASE(7, sp)
	CASE(8, r8)
	CASE(9, r9)
	CASE(10, r10)
	CASE(11, r11)
	CASE(12, r12)
	CASE(13, r13)
	CASE(14, r14)
	CASE(15, r15)
#else
	CASE(0, regs[0])
	CASE(1, regs[1])
	CASE(2, regs[2])
	CASE(3, regs[3])
	CASE(4, regs[4])
	CASE(5, regs[5])
	CASE(6, regs[6])
	CASE(7, regs[7])
	CASE(8, regs[8])
	CASE(9, regs[9])
	CASE(10, regs[10])
	CASE(11, regs[11])
	CASE(12, regs[12])
	CASE(13, regs[13])
	CASE(14, regs[14])
	CASE(15, regs[15])
	CASE(16, regs[16])
	CASE(17, regs[17])
	CASE(18, regs[18])
	CASE(19, regs[19])
	CASE(20, regs[20])
	CASE(21, regs[21])
	CASE(22, regs[22])
	CASE(23, regs[23])
	CASE(24, regs[24])
	CASE(25, regs[25])
	CASE(26, regs[26])
	CASE(27, regs[27])
	CASE(28, regs[28])
	CASE(29, regs[29])
	CASE(30, regs[30])
	case 31: /* the zero register wherever a condition can name it */
		return (struct value){ 0, 1 };
#endif
	}
	return (struct value){ 0, 0 };
}

static inline __u64 narrow(__u64 v, __u8 width)
{
	if (width == 16)
		return v & 0xffff;
	if (width == 32)
		return v & 0xffffffff;
	return v;
}

#if defined(__TARGET_ARCH_x86)
/* Intel SDM vol. 1 appendix B: the even codes; odd ones are their opposites. */
static inline int x86_cc(__u64 flags, __u8 code)
{
	int cf = flags & 1, pf = flags >> 2 & 1, zf = flags >> 6 & 1;
	int sf = flags >> 7 & 1, of = flags >> 11 & 1;
	int r = 0;

	switch (code >> 1 & 7) {
	case 0:
		r = of;
		break;
	case 1:
		r = cf;
		break;
	case 2:
		r = zf;
		break;
	case 3:
		r = cf | zf;
		break;
	case 4:
		r = sf;
		break;
	case 5:
		r = pf;
		break;
	case 6:
		r = sf ^ of;
		break;
	case 7:
		r = zf | (sf ^ of);
		break;
	}
	return r ^ (code & 1);
}

static inline enum answer decide_arch(struct pt_regs *ctx, struct entry *e)
{
	__u64 flags = FIELD(ctx, flags);
	__u64 cx = FIELD(ctx, cx);
	int zf = flags >> 6 & 1;
	__u64 left = narrow(cx - 1, e->width);

	switch (e->op) {
	case X86_CC:
		return x86_cc(flags, e->code);
	case X86_RCXZ:
		return narrow(cx, e->width) == 0;
	case X86_LOOP:
		return left != 0;
	case X86_LOOPE:
		return left != 0 && zf;
	case X86_LOOPNE:
		return left != 0 && !zf;
	}
	return UNDECIDED;
}
#else
/* Arm ARM C1.2.4, condition codes; 15 is "always" like 14. */
static inline int arm64_cc(__u64 pstate, __u8 code)
{
	int n = pstate >> 31 & 1, z = pstate >> 30 & 1;
	int c = pstate >> 29 & 1, v = pstate >> 28 & 1;
	int r = 1;

	switch (code >> 1 & 7) {
	case 0:
		r = z;
		break;
	case 1:
		r = c;
		break;
	case 2:
		r = n;
		break;
	case 3:
		r = v;
		break;
	case 4:
		r = c & !z;
		break;
	case 5:
		r = n == v;
		break;
	case 6:
		r = n == v && !z;
		break;
	case 7:
		return 1;
	}
	return r ^ (code & 1);
}

static inline enum answer decide_arch(struct pt_regs *ctx, struct entry *e)
{
	struct value x;

	if (e->op == ARM64_CC)
		return arm64_cc(FIELD(ctx, pstate), e->code);
	if (e->op != ARM64_CBZ && e->op != ARM64_TBZ)
		return UNDECIDED;
	x = reg(ctx, e->reg);
	if (!x.ok)
		return UNDECIDED;
	if (e->op == ARM64_CBZ)
		return narrow(x.v, e->width) == 0;
	return (x.v >> (e->bit & 63) & 1) == 0;
}
#endif

/* A jump table's page may not be in memory yet when its first jump runs; only
 * a sleepable program can have it read in. */
static inline int read_user(__u64 *dst, __u64 src)
{
	if (!bpf_probe_read_user(dst, sizeof(*dst), (void *)src))
		return 0;
	if (sleepable)
		return bpf_copy_from_user(dst, sizeof(*dst), (void *)src);
	return -1;
}

static inline enum answer decide_mem(struct pt_regs *ctx, struct entry *e)
{
	__u64 pc = FIELD(ctx, PC);
	__u64 at = e->disp, target = 0;
	struct value x;

	if (e->flags & PCREL)
		at += pc;
	if (e->reg != NO_REG) {
		x = reg(ctx, e->reg);
		if (!x.ok)
			return UNDECIDED;
		at += x.v;
	}
	if (e->index != NO_REG) {
		x = reg(ctx, e->index);
		if (!x.ok)
			return UNDECIDED;
		at += x.v * e->scale;
	}
	if (read_user(&target, at))
		return UNDECIDED;
	return target - pc == (__u64)e->delta;
}

static inline enum answer decide(struct pt_regs *ctx, struct entry *e)
{
	enum answer a;
	struct value x;

	switch (e->op) {
	case ALWAYS:
		a = YES;
		break;
	case REG_TARGET:
		x = reg(ctx, e->reg);
		if (!x.ok)
			return UNDECIDED;
		a = x.v - FIELD(ctx, PC) == (__u64)e->delta;
		break;
	case MEM_TARGET:
		a = decide_mem(ctx, e);
		break;
	default:
		a = decide_arch(ctx, e);
	}
	if (a == UNDECIDED)
		return a;
	return a ^ (e->flags & NEGATE);
}

static inline int wanted(void)
{
	__u64 ids; /* struct bpf_pidns_info: pid, tgid */
	__u32 tgid;

	if (!want_tgid)
		return 1;
	tgid = bpf_get_current_pid_tgid() >> 32;
	if (want_family && bpf_map_lookup_elem(&family, &tgid))
		return 1;
	if (!pidns_ino)
		return tgid == want_tgid;
	if (bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &ids, sizeof(ids)))
		return 0; /* of another namespace */
	return ids >> 32 == want_tgid;
}

static inline void count(void *map)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(map, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static inline void put(__u32 probe, int undecided)
{
	struct event *ev = bpf_ringbuf_reserve(&ring, sizeof(*ev), 0);
	__u64 ids;

	if (!ev) {
		count(&lost);
		return;
	}
	ev->time = bpf_ktime_get_ns();
	ids = bpf_get_current_pid_tgid();
	ev->tgid = ids >> 32;
	ev->tid = ids;
	ev->probe = probe;
	ev->undecided = undecided;
	bpf_get_current_comm(ev->comm, sizeof(ev->comm));
	bpf_ringbuf_submit(ev, 0);
}

/* What the ring itself calls while it holds its lock may be probed too, and
 * one program does not keep another from running there: that event is lost,
 * rather than waiting for ever. */
static inline void tell(__u32 probe, int undecided)
{
	volatile __u64 *busy;
	__u32 zero = 0;

	if (!in_kernel) {
		put(probe, undecided);
		return;
	}
	busy = bpf_map_lookup_elem(&telling, &zero);
	if (!busy)
		return;
	if (*busy) {
		count(&lost);
		return;
	}
	*busy = 1;
	put(probe, undecided);
	*busy = 0;
}

static inline void counted(__u32 probe, int undecided)
{
	struct counter *c = bpf_map_lookup_elem(&counters, &probe);

	if (!c)
		return;
	if (undecided)
		__sync_fetch_and_add(&c->undecided, 1);
	else
		__sync_fetch_and_add(&c->hits, 1);
	if (want_events)
		tell(probe, undecided);
}

static inline void probe_hit(struct pt_regs *ctx, __u32 probe)
{
	struct entry *e;
	enum answer a;

	e = bpf_map_lookup_elem(&entries, &probe);
	if (!e)
		return;
	a = decide(ctx, e);
	if (a != NO)
		counted(probe, a == UNDECIDED);
}

/* Keep the stack under 64 bytes: from there on the verifier of Linux 6.13
 * (and 6.12.107) may give the program one stack per CPU, and uprobe programs
 * are preempted. A Go test checks it. */
SEC("uprobe")
int hit(struct pt_regs *ctx)
{
	__u64 cookie = fixed_cookie ? fixed_cookie_value : bpf_get_attach_cookie(ctx);
	__u32 first = cookie, count = cookie >> 32, i;

	if (!wanted())
		return 0;
	for (i = 0; i < MAX_GROUP; i++) {
		if (i >= count)
			break;
		probe_hit(ctx, first + i);
	}
	return 0;
}

/* For fentry and fexit, tracepoints and LSM hooks: each has a program of its
 * own, which knows its cookie, and there is no condition and no register. The
 * type is set when loading. */
SEC("raw_tp")
int fired(void *ctx)
{
	__u32 first = fixed_cookie_value, count = fixed_cookie_value >> 32, i;

	if (!wanted())
		return 0;
	for (i = 0; i < MAX_GROUP; i++) {
		if (i >= count)
			break;
		counted(first + i, 0);
	}
	return 0;
}

/* The fields used, found in the running kernel's BTF when loading. */
struct signal_struct {
	struct {
		int counter;
	} live;
} __attribute__((preserve_access_index));

struct task_struct {
	int tgid;
	struct signal_struct *signal;
} __attribute__((preserve_access_index));

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

/* Runs in the parent before the child does. */
SEC("raw_tp/sched_process_fork")
int forked(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (void *)ctx->args[1];
	__u32 tgid = 0, one = 1;

	if (!wanted())
		return 0;
	if (bpf_probe_read_kernel(&tgid, sizeof(tgid), &child->tgid)) {
		count(&strayed);
		return 0;
	}
	if (tgid == bpf_get_current_pid_tgid() >> 32)
		return 0; /* a thread */
	if (bpf_map_update_elem(&family, &tgid, &one, 0))
		count(&strayed);
	return 0;
}

/* A process ends with its last thread; its number may be used again. */
SEC("raw_tp/sched_process_exit")
int exited(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct signal_struct *signal = 0;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	int live = 0;

	if (bpf_probe_read_kernel(&signal, sizeof(signal), &task->signal) ||
	    bpf_probe_read_kernel(&live, sizeof(live), &signal->live.counter))
		return 0;
	if (!live)
		bpf_map_delete_elem(&family, &tgid);
	return 0;
}

char license_[] SEC("license") = "Dual BSD/GPL";
