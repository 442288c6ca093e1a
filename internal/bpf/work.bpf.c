//go:build ignore

// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
//
// What a measured hookpoint runs: nothing, a simple map increment, a complex
// one. The two increments do what the published comparison does (a hash map by
// thread; by thread, a number below 1024 from the clock, and the command), so
// that figures can stand side by side. The programs read nothing of their
// context and are loaded for any kind of hookpoint.

typedef unsigned int __u32;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define inline __attribute__((always_inline)) inline

enum { BPF_MAP_TYPE_HASH = 1, BPF_NOEXIST = 1 };

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_get_current_comm)(void *buf, __u32 size) = (void *)16;

enum { RANDOM = 1024 }; /* internal/bpf/work.go */

struct key {
	__u64 thread;
	__u64 random;
	char command[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} threads SEC(".maps");

/* Room for the keys of 16 threads: a hookpoint of all system calls is hit by
 * others, whose keys must not keep out those of the caller. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16 * RANDOM);
	__type(key, struct key);
	__type(value, __u64);
} keys SEC(".maps");

static inline void increment(void *map, void *key)
{
	__u64 zero = 0, *count = bpf_map_lookup_elem(map, key);

	if (!count) {
		bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(map, key);
		if (!count)
			return; /* full: the count is short, which is seen */
	}
	__sync_fetch_and_add(count, 1);
}

SEC("kprobe")
int empty(void *ctx)
{
	return 0;
}

SEC("kprobe")
int simple(void *ctx)
{
	__u32 key = bpf_get_current_pid_tgid();

	increment(&threads, &key);
	return 0;
}

SEC("kprobe")
int complex(void *ctx)
{
	struct key key = {};

	key.thread = bpf_get_current_pid_tgid();
	key.random = bpf_ktime_get_ns() % RANDOM;
	bpf_get_current_comm(key.command, sizeof(key.command));
	increment(&keys, &key);
	return 0;
}

char license_[] SEC("license") = "Dual BSD/GPL";
