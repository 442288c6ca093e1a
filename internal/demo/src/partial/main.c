#include <stdio.h>

#include "pool.h"

int main(void)
{
	for (unsigned blocks = 0; blocks < 4; blocks++)
		open_log(blocks); /* 0 is refused early, 1 to 3 succeed */
	for (unsigned blocks = 62; blocks < 69; blocks++)
		open_table(blocks); /* 62 to 64 do not fit, 65 to 68 are refused early */
	reserve("main", 8); /* another file: calls the symbol */
	printf("reserve was executed %u times\n", executions);
	return 0;
}
