/* Inlining at several depths, a loop, partial inlining, tail calls, a function
 * inside a function, a computed goto. Read by the test that compares with
 * debug/dwarf. */
#include <stdio.h>
#include <stdlib.h>
#include "shared.h"

int scale(int v);
int steps(const unsigned char *code);

struct counter {
	long hits;
	union { int i; float f; } last;
};

static struct counter counters[4];

static inline void note(int which, int v)
{
	counters[which & 3].hits++;
	counters[which & 3].last.i = clamp(v, -100, 100);
}

static inline int twice(int v)
{
	note(0, v);
	return clamp(v, 0, 1000) * 2;
}

int guarded(struct counter *c, int n)
{
	if (!c)
		return -1;
	for (int i = 0; i < n; i++) {
		printf("%ld\n", c->hits);
		note(i, n);
	}
	return twice(n);
}

__attribute__((noreturn)) static void stop(int code)
{
	printf("stop %d\n", code);
	exit(code);
}

#ifdef __clang__
static int outer(int n) { return twice(n) + n; }
#else
static int outer(int n)
{
	int inner(int m) { return twice(m) + n + clamp(m, n, 9); }
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += twice(i) + inner(i);
	return sum;
}
#endif

int main(int argc, char **argv)
{
	unsigned char code[] = { 0, 1, 2, 0, 3 };
	int sum = 0;

	for (int i = 0; i < argc; i++) {
		sum += twice(i);
		if (i & 1)
			sum += scale(twice(sum));
	}
	sum += guarded(argc > 5 ? NULL : counters, argc) + outer(argc) + steps(code);
	if (sum > 100000)
		stop(1);
	return clamp(scale(sum), 0, 1);
}
