// SPDX-License-Identifier: Apache-2.0
//
// Calls one thing in a tight loop and says how long it took. No libc: nothing
// but the loop runs, and it makes no system call that is not here.
//
// Requests and answers are in a page of the file that descriptor 3 is. The
// program stops itself (SIGSTOP) before each request and works when it is
// continued, so that whoever looks at counters then knows exactly what was called.

typedef unsigned int u32;
typedef unsigned long long u64;

enum { MAX_BATCHES = 64 }; /* caller.go */

struct page {
	u64 call;    /* index in calls */
	u64 times;   /* calls a batch */
	u64 batches; /* at most MAX_BATCHES */
	u64 done;    /* requests answered */
	u64 ns[MAX_BATCHES];
};

#if defined(__x86_64__)
enum { SYS_mmap = 9, SYS_getpid = 39, SYS_kill = 62, SYS_getpgid = 121, SYS_clock_gettime = 228, SYS_exit = 60 };

static inline long sys(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return nr;
}
#elif defined(__aarch64__)
enum { SYS_mmap = 222, SYS_getpid = 172, SYS_kill = 129, SYS_getpgid = 155, SYS_clock_gettime = 113, SYS_exit = 93 };

static inline long sys(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#endif

enum { CLOCK_MONOTONIC = 1, SIGSTOP = 19, PROT_READ_WRITE = 3, MAP_SHARED = 1 };

static u64 now(void)
{
	struct {
		long sec, nsec;
	} t = { 0, 0 };

	sys(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0, 0, 0, 0);
	return (u64)t.sec * 1000000000 + (u64)t.nsec;
}

static long pid;

/* A cheap system call that passes an LSM hook; for process 0, which stands for
 * the caller, it does not (do_getpgid in kernel/sys.c). */
static void loop_getpgid(u64 times)
{
	for (; times; times--)
		sys(SYS_getpgid, pid, 0, 0, 0, 0, 0);
}

/* functions.S; the order is that of names in caller.go. */
extern void loop_nop(u64), loop_push(u64), loop_endbr64(u64), loop_ret(u64), loop_nop5(u64), loop_nop10(u64), loop_usdt(u64);

static void (*const calls[])(u64) = {
	loop_getpgid, loop_nop, loop_push, loop_endbr64, loop_ret, loop_nop5, loop_nop10, loop_usdt,
};

__attribute__((used, noreturn)) void run(void)
{
	struct page *p = (void *)sys(SYS_mmap, 0, 4096, PROT_READ_WRITE, MAP_SHARED, 3, 0);

	pid = sys(SYS_getpid, 0, 0, 0, 0, 0, 0);
	if ((u64)p > -4096ULL)
		sys(SYS_exit, 1, 0, 0, 0, 0, 0);
	for (;; p->done++) {
		sys(SYS_kill, pid, SIGSTOP, 0, 0, 0, 0);
		if (p->call >= sizeof(calls) / sizeof(calls[0]) || p->batches > MAX_BATCHES)
			sys(SYS_exit, 2, 0, 0, 0, 0, 0);
		for (u64 i = 0; i < p->batches; i++) {
			u64 begin = now();

			calls[p->call](p->times);
			p->ns[i] = now() - begin;
		}
	}
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall run\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tbl run\n");
#endif
