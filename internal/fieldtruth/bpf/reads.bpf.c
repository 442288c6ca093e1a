// SPDX-License-Identifier: BSD-2-Clause
// Programs that read something by its place. On one kernel the place is right,
// on others it holds something else; package fieldtruth looks at what they get.

#define SEC(x) __attribute__((section(x), used))
#define CORE __attribute__((preserve_access_index))
typedef unsigned long long u64;
typedef unsigned int u32;

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;

struct value {
	u64 hits, got;
};

struct {
	int (*type)[2]; // BPF_MAP_TYPE_ARRAY
	int (*max_entries)[16];
	u32 *key;
	struct value *value;
} values SEC(".maps");

// The struct pt_regs of x86-64, at fixed places.
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
};

struct qstr {
	const unsigned char *name;
} CORE;

struct dentry {
	struct qstr d_name;
} CORE;

// In the kernel it has 4 bytes.
struct task_struct {
	unsigned long tgid;
} CORE;

static __attribute__((always_inline)) void note(u32 slot, u64 got)
{
	u32 zero = 0;
	struct value *me = bpf_map_lookup_elem(&values, &zero), *v;

	if (!me || me->got != bpf_get_current_pid_tgid() >> 32)
		return;
	v = bpf_map_lookup_elem(&values, &slot);
	if (!v)
		return;
	v->hits++;
	v->got = got;
}

static __attribute__((always_inline)) u64 name_of(struct dentry *d)
{
	const unsigned char *p = 0;
	u64 first = 0;

	bpf_probe_read_kernel(&p, sizeof(p), __builtin_preserve_access_index(&d->d_name.name));
	bpf_probe_read_kernel(&first, sizeof(first), p);
	return first;
}

// The second argument was the dentry until Linux 5.12.
SEC("kprobe/vfs_unlink") int unlink_name(struct pt_regs *c)
{
	note(1, name_of((struct dentry *)c->si));
	return 0;
}

SEC("kprobe/vfs_rmdir") int rmdir_name(struct pt_regs *c)
{
	note(2, name_of((struct dentry *)c->si));
	return 0;
}

SEC("fentry/vfs_mkdir") int mkdir_name(u64 *c)
{
	note(3, name_of((struct dentry *)c[1]));
	return 0;
}

// It takes one argument since Linux 5.12, of a struct.
SEC("kprobe/vfs_rename") int rename_name(struct pt_regs *c)
{
	note(4, name_of((struct dentry *)c->cx));
	return 0;
}

// The protocol was at byte 24 until Linux 6.11.
struct dropped {
	u64 common;
	void *skbaddr, *location;
	unsigned short protocol;
};

SEC("tp/skb/kfree_skb") int drop_protocol(struct dropped *c)
{
	note(5, c->protocol);
	return 0;
}

// There was a field success, always 1, until Linux 5.14.
struct woken {
	u64 common;
	char comm[16];
	int pid, prio, success;
};

SEC("tp/sched/sched_wakeup") int wakeup_success(struct woken *c)
{
	note(6, c->success);
	return 0;
}

SEC("kprobe/vfs_unlink") int wide_tgid(struct pt_regs *c)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	u64 got = 0;

	bpf_probe_read_kernel(&got, sizeof(got), __builtin_preserve_access_index(&t->tgid));
	note(7, got);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
