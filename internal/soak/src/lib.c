/* A library of one version: everything in it says which. PAD moves the code,
 * so that what is hooked is elsewhere in another layout. */
#define EXPORT __attribute__((visibility("default"), noinline))

volatile int sink;

__asm__(".text\n.skip " PAD ", 0x90\n");

EXPORT int version(void) { return V; }

/* Its first instruction has the version in it: what a probe that outlives a
 * rewrite in place gets wrong. */
EXPORT int one(void) { return V; }

EXPORT int two(int x)
{
	sink = x;
	return x + V;
}

static inline __attribute__((always_inline)) int small(int x)
{
	sink = x ^ 5;
	return x * 3 + V;
}

EXPORT int three(int x)
{
	int sum = 0;

	if (x & 1)
		sum += small(x);
	sink = sum;
	return sum + small(x + 1);
}

EXPORT int four(int x)
{
	int i, sum = V;

	for (i = 0; i < (x & 3); i++) {
		sink = i;
		sum += sink + x;
	}
	return sum;
}
