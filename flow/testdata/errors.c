/* Functions that call h, or return an error without calling it, for TestSucceeds. */
#define OTHER __attribute__((weak, noinline))
OTHER int f(int x) { return x; }
OTHER int g(void) { return 1; }
OTHER void h(void) { __asm__ volatile("" ::: "memory"); }
OTHER void *p(void) { return 0; }
OTHER long work(long x) { return x; }
int main(void) { return 0; }

long early(long x) { if (x > 64) return -22; h(); return 0; }
int passed(int x) { int r = f(x); if (r < 0) return r; h(); return r; }
long wide(int x) { int r = f(x); if (r < 0) return r; h(); return r + 1; }
long pointer(void) { void *q = p(); if ((unsigned long)q >= (unsigned long)-4095) return (long)q; h(); return 0; }
int label(int x)
{
	int r = -12, y;
	if (x > 3)
		goto out;
	y = g();
	if (y < 0) {
		r = y;
		goto out;
	}
	h();
	r = 0;
out:
	work(x);
	return r;
}

int nonzero(int x) { int r = f(x); if (r) return r; h(); return 0; }
int zero(int x) { if (x) return 0; h(); return 1; }
int one(int x) { if (x > 5) return 1; h(); return 2; }
int fails(int x) { if (x) h(); return -5; }
int both(int x) { if (x > 9) return -7; if (x < 3) return 4; h(); return 0; }
int elsewhere(int x) { int r = f(x); if (r < 0) return 3; h(); return r; }
int positive(int x) { int r = f(x); if (r > 0) return r; h(); return 0; }
int far(int x) { if (x > 5) return -5000; h(); return 2; }
