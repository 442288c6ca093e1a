/* The second unit of one.c: -flto inlines across. */
#include "shared.h"

int scale(int v)
{
	return clamp(v * 3, -1000, 1000);
}

int steps(const unsigned char *code)
{
	static const void *const jump[] = { &&add, &&sub, &&mul, &&end };
	int acc = 1;

next:
	goto *jump[*code++ & 3];
add:
	acc += scale(acc);
	goto next;
sub:
	acc -= 2;
	goto next;
mul:
	acc *= 3;
	goto next;
end:
	return acc;
}
