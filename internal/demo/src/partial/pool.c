/* GCC -O2 splits reserve(): the cheap test of the size is inlined into the
 * callers, the rest becomes the function "reserve.part.0". The symbol "reserve"
 * stays, for callers in other files. */
#include <stdio.h>

#include "pool.h"

volatile unsigned executions; /* the truth, counted by the program itself */

static unsigned char map[POOL_BLOCKS]; /* 1: block is taken */

void reserve(const char *owner, unsigned blocks)
{
	static char name[32];
	unsigned start, run = 0;

	executions++;
	if (blocks == 0 || blocks > POOL_BLOCKS)
		return; /* the fast path ends here */

	for (start = 0; start < POOL_BLOCKS && run < blocks; start++)
		run = map[start] ? 0 : run + 1;
	snprintf(name, sizeof(name), "%s[%u]", owner, blocks);
	if (run < blocks) {
		printf("%-12s does not fit\n", name);
		return;
	}
	for (start -= blocks; run > 0; run--)
		map[start + run - 1] = 1;
	printf("%-12s at block %u\n", name, start);
}

/* open_log() and open_table() hold the inlined half. */
void open_log(unsigned blocks)
{
	reserve("log", blocks);
}

void open_table(unsigned blocks)
{
	reserve("table", blocks);
}
