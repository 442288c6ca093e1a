#include <stdio.h>
#include <stdlib.h>

#include "add.h"

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10;
	int total = sum(n) + twice(n);

	total = add(total, 1); /* another file: calls the symbol */
	total = add(total, 2); /* and again */
	printf("total %d, add was executed %u times\n", total, executions);
	return 0;
}
