// tiny is the program of FuzzResolve and TestTiny, linked without a C library:
//
//	gcc -O2 -g -nostdlib -static -fno-stack-protector -ffile-prefix-map=$PWD=/src -Wl,--build-id=none -o tiny-gcc tiny.c
//	clang -O2 -g -nostdlib -static -fno-unroll-loops -ffile-prefix-map=$PWD=/src -Wl,--build-id=none -o tiny-clang tiny.c
//
// with gcc 12.2 and clang 14.0.
volatile int sink;
int table[16];

static int add(int a, int b)
{
	int r = a + b;
	if (r & 1)
		r ^= sink;
	return r + 1;
}

static void drain(unsigned n)
{
	do {
		sink = n;
		n /= 2;
	} while (n);
}

__attribute__((noinline)) int act(int op, int v)
{
	switch (op) {
	case 0:
		return add(v, 3);
	case 1:
		drain(v);
		return 7;
	case 2:
		return add(add(v, 1), 2);
	case 3:
		drain(v + 1);
		sink = 9;
		return v;
	case 4:
		return v / 3;
	}
	return table[v & 15];
}

__attribute__((noinline)) int loop(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += add(sum, i);
	if (n > 3)
		drain(n);
	return sum;
}

void _start(void)
{
	for (int i = 0; i < 8; i++)
		sink = act(i, loop(i));
	__asm__ volatile("syscall" ::"a"(60), "D"(0));
}
