/* Sells ten times, with the library that it is given. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int (*price)(int) = lib ? (int (*)(int))dlsym(lib, "price") : NULL;
	unsigned executions = 0;
	int total = 0;

	if (!price) {
		fprintf(stderr, "usage: shop LIBRARY: %s\n", lib ? "no price" : dlerror());
		return 1;
	}
	for (int amount = 0; amount < 10; amount++) {
		total += price(amount);
		executions++;
	}
	printf("total %d, price was executed %u times\n", total, executions);
	return 0;
}
