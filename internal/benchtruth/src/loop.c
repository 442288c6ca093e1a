// An independent measurement: another program, another clock, another way to
// read it. Calls a function that begins with a given instruction, or getpgid,
// and prints whether a breakpoint is there and the ns of a call, the median of
// batches.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FUNCTION(name, insn) __asm__(".text\n.balign 64\n.globl f_" name "\n.type f_" name ",@function\nf_" name ":\n" insn "\nret\n.size f_" name ",.-f_" name "\n")

FUNCTION("nop", "nop");
FUNCTION("push", "push %rbp\npop %rbp");
FUNCTION("endbr64", ".byte 0xf3,0x0f,0x1e,0xfa");
FUNCTION("ret", "");

extern void f_nop(void), f_push(void), f_endbr64(void), f_ret(void);

static long self;

static void getpgid_self(void)
{
	syscall(SYS_getpgid, self);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*f)(void);
	} table[] = { { "nop", f_nop }, { "push", f_push }, { "endbr64", f_endbr64 }, { "ret", f_ret }, { "getpgid", getpgid_self } };
	enum { BATCHES = 101 };
	double ns[BATCHES];

	self = getpid();
	for (unsigned i = 0; argc == 3 && i < sizeof(table) / sizeof(table[0]); i++) {
		void (*volatile f)(void) = table[i].f;
		int times = atoi(argv[2]);

		if (strcmp(table[i].name, argv[1]))
			continue;
		for (int b = 0; b < BATCHES; b++) {
			double begin = seconds();

			for (int n = 0; n < times; n++)
				f();
			ns[b] = (seconds() - begin) * 1e9 / times;
		}
		qsort(ns, BATCHES, sizeof(ns[0]), ascending);
		printf("%d %.3f\n", *(volatile unsigned char *)(void *)table[i].f == 0xcc, ns[BATCHES / 2]);
		return 0;
	}
	return 2;
}
