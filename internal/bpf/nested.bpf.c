//go:build ignore

// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
//
// One program for both parts of a nesting: it counts, and as the outer one it
// then does something in the middle of which other probes fire.
//
// Nothing is included, so that clang alone rebuilds it. Helpers have the
// numbers of the kernel's bpf.h, which are ABI.

typedef unsigned int __u32;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define inline __attribute__((always_inline)) inline

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
};

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static long (*bpf_trace_printk)(const char *fmt, __u32 size, ...) = (void *)6;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static long (*bpf_get_stack)(void *ctx, void *buf, __u32 size, __u64 flags) = (void *)67;
static long (*bpf_send_signal_thread)(__u32 sig) = (void *)117;
static long (*bpf_get_ns_current_pid_tgid)(__u64 dev, __u64 ino, void *nsdata, __u32 size) = (void *)120;
static long (*bpf_ringbuf_output)(void *ring, void *data, __u64 size, __u64 flags) = (void *)130;

/* Actions, which can be combined; Go's Action. */
enum {
	PRINT = 1 << 0,  /* bpf_trace_printk */
	UPDATE = 1 << 1, /* bpf_map_update_elem and bpf_map_delete_elem of a hash map */
	STACK = 1 << 2,  /* bpf_get_stack of the kernel */
	OUTPUT = 1 << 3, /* bpf_ringbuf_output */
	SPIN = 1 << 4,   /* takes long, so that interrupts come */
	SIGNAL = 1 << 5, /* bpf_send_signal_thread */
};

/* Counters by slot; Go's maxSlots. */
enum { SLOTS = 32 };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Not 0 while the program of the slot acts on this processor: one that its own
 * action calls again must not act. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} acting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} output SEC(".maps");

const volatile __u32 want_tid = 0;  /* counts and acts in this thread only, */
const volatile __u32 want_tgid = 0; /* or, if that is 0, in those of this process; */
const volatile __u64 pidns_dev = 0; /* the numbers are of this PID namespace */
const volatile __u64 pidns_ino = 0;
const volatile __u32 slot = 0;
const volatile __u32 action = 0;
const volatile __u32 within = 0; /* counts, and does no more, on a processor where the program of slot 0 acts */
const volatile __u32 signo = 0;  /* of SIGNAL: one that the threads block */

static inline void act(void *ctx)
{
	static const char text[] = "surehook";
	__u64 stack[3]; /* all of it below 64 bytes: programs of uprobes must not get a stack of their own */
	__u64 now = 0;
	__u32 key = slot;

	if (action & PRINT)
		bpf_trace_printk(text, sizeof(text));
	if (action & STACK)
		bpf_get_stack(ctx, stack, sizeof(stack), 0);
	if (action & OUTPUT)
		bpf_ringbuf_output(&output, &now, sizeof(now), 0);
	if (action & SIGNAL) {
		bpf_send_signal_thread(signo);
		/* Newer kernels leave it to an interrupt, which comes at once. */
		for (int i = 0; i < 40; i++)
			bpf_ktime_get_ns();
	}
	if (action & SPIN)
		for (int i = 0; i < 4000; i++)
			now += bpf_ktime_get_ns();
	if (action & (UPDATE | SPIN)) { /* what came of the spin must be used */
		bpf_map_update_elem(&table, &key, &now, 0);
		bpf_map_delete_elem(&table, &key);
	}
}

/* ours tells whether the program is to count here. */
static inline int ours(void)
{
	__u64 ids; /* struct bpf_pidns_info: pid, tgid */
	__u64 *busy;
	__u32 first = 0;

	if (within) {
		busy = bpf_map_lookup_elem(&acting, &first);
		return busy && *busy;
	}
	if (bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &ids, sizeof(ids)))
		return 0;
	return want_tid ? (__u32)ids == want_tid : ids >> 32 == want_tgid;
}

SEC("kprobe")
int nested(void *ctx)
{
	__u32 key = slot;
	__u64 *n, *busy;

	if (!ours())
		return 0;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	busy = bpf_map_lookup_elem(&acting, &key);
	if (!action || !busy || *busy)
		return 0;
	*busy = 1;
	act(ctx);
	*busy = 0;
	return 0;
}

char license_[] SEC("license") = "Dual BSD/GPL";
