/* GCC -O2 compiles add() three times: once as the symbol "add", for callers in
 * other files, and once inside each caller below. A probe on the symbol sees
 * only the first. */
#include "add.h"

volatile unsigned executions; /* the truth, counted by the program itself */

int add(int a, int b)
{
	executions++;
	return a + b;
}

int sum(int n)
{
	int total = 0;

	for (int i = 1; i <= n; i++)
		total = add(total, i); /* inlined: runs n times */
	return total;
}

int twice(int n)
{
	return add(n, n); /* inlined: runs once */
}
