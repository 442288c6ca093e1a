/* The shapes of indirect jumps that compilers make. Built by the tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

volatile int sink;
extern int opaque(int);
__attribute__((noinline)) int opaque(int x) { sink = x; return x ^ sink; }

/* A dense switch: one table, bounded by a comparison. */
__attribute__((noinline)) int dense(int x) {
	switch (x) {
	case 0: return opaque(17);
	case 1: sink = 4; return 3;
	case 2: return opaque(x) + 9;
	case 3: sink = 7; break;
	case 4: return opaque(1) * opaque(2);
	case 5: sink = x; return -1;
	case 6: return opaque(33) - 2;
	case 7: sink++; break;
	}
	return opaque(99);
}

/* Many cases: GCC makes no tables of few cases on arm64. */
__attribute__((noinline)) int wide(int x) {
	switch (x) {
	case 10: return opaque(x);
	case 11: sink = 4; return 3;
	case 12: return opaque(x) + 9;
	case 13: sink = 7; break;
	case 14: return opaque(1) * opaque(2);
	case 15: sink = x; return -1;
	case 16: return opaque(33) - 2;
	case 17: sink++; break;
	case 18: return opaque(x) * 11;
	case 19: sink += 4; return 31;
	case 20: return opaque(x) + 19;
	case 21: sink ^= 7; break;
	case 22: return opaque(4) * opaque(2);
	case 23: sink -= x; return -11;
	case 24: return opaque(43) - 12;
	case 25: sink--; break;
	case 27: return opaque(5) * opaque(9);
	case 28: sink |= x; return -21;
	case 29: return opaque(53) - 3;
	case 30: sink &= 55; break;
	}
	return opaque(9);
}

/* The same in a loop whose calls leave it no registers but saved ones. */
__attribute__((noinline)) int wide_machine(const unsigned char *code, int a, int b, int c) {
	int d = a ^ b, e = b ^ c, f = a + c, g = a - b;
	for (;;) {
		switch (*code++) {
		case 0: a += opaque(b); break;
		case 1: b ^= opaque(c); break;
		case 2: c -= opaque(d); break;
		case 3: d *= opaque(e); break;
		case 4: e |= opaque(f); break;
		case 5: f += opaque(g); break;
		case 6: g += opaque(a); break;
		case 7: a ^= b ^ c ^ d; break;
		case 8: return a + b + c + d + e + f + g;
		case 9: if (a > b) code++; break;
		case 10: a += opaque(b + c); break;
		case 11: b ^= opaque(c - d); break;
		case 12: c -= opaque(d * e); break;
		case 13: d *= opaque(e ^ f); break;
		case 14: e |= opaque(f | g); break;
		case 15: f += opaque(g & a); break;
		case 16: g += opaque(a + 1); break;
		case 17: a ^= b & c & d; break;
		case 18: sink = a; break;
		case 19: if (a < b) code += 2; break;
		case 20: a = sink; break;
		}
	}
}

/* Biased, with holes, on a signed char. */
__attribute__((noinline)) int biased(const signed char *p) {
	switch (*p) {
	case 'a': return opaque(1);
	case 'b': sink = 2; return 2;
	case 'd': return opaque(4) + 1;
	case 'e': sink = 5; return 9;
	case 'f': return opaque(6) * 3;
	case 'k': sink = 7; return 1;
	case 'l': return opaque(8) - 3;
	case 'm': sink -= 9; break;
	}
	return opaque(0);
}

/* No default: the compiler may drop the comparison. */
__attribute__((noinline)) int masked(unsigned x) {
	switch (x & 7) {
	case 0: return opaque(10);
	case 1: sink = 4; return 3;
	case 2: return opaque(12) + 9;
	case 3: sink = 7; return 8;
	case 4: return opaque(14) * opaque(2);
	case 5: sink = 11; return -1;
	case 6: return opaque(16) - 2;
	case 7: sink++; return 5;
	}
	return 0;
}

__attribute__((noinline)) int impossible(unsigned x) {
	switch (x) {
	case 0: return opaque(20);
	case 1: sink = 14; return 3;
	case 2: return opaque(22) + 9;
	case 3: sink = 17; return 8;
	case 4: return opaque(24) * opaque(2);
	case 5: sink = 21; return -1;
	default: __builtin_unreachable();
	}
}

/* A table kept over a loop with calls: its base in a saved register. */
__attribute__((noinline)) int machine(const unsigned char *code) {
	int a = 0, b = 1, c = 2, d = 3, e = 4, f = 5, g = 6;
	for (;;) {
		switch (*code++) {
		case 0: a += opaque(b); break;
		case 1: b ^= opaque(c); break;
		case 2: c -= opaque(d); break;
		case 3: d *= opaque(e); break;
		case 4: e |= opaque(f); break;
		case 5: f += opaque(g); break;
		case 6: g += opaque(a); break;
		case 7: a ^= b ^ c ^ d; break;
		case 8: return a + b + c + d + e + f + g;
		case 9: if (a > b) code++; break;
		}
	}
}

/* Computed gotos through a table of addresses. */
__attribute__((noinline)) int threaded(const unsigned char *code) {
	static const void *const table[] = {&&add, &&sub, &&mul, &&neg, &&not_, &&out, &&jmp, &&end};
	int acc = 1;
	const unsigned char *pc = code;
#define NEXT goto *table[*pc++ & 7]
	NEXT;
add: acc += opaque(*pc++); NEXT;
sub: acc -= opaque(*pc++); NEXT;
mul: acc *= opaque(*pc++); NEXT;
neg: acc = -acc; NEXT;
not_: acc = ~acc; NEXT;
out: sink = acc; NEXT;
jmp: pc = code + opaque(*pc); NEXT;
end: return acc;
}

/* Computed gotos through distances. */
__attribute__((noinline)) int distances(const unsigned char *code) {
	static const int table[] = {&&add - &&add, &&sub - &&add, &&mul - &&add, &&out - &&add, &&end - &&add};
	int acc = 1;
#define HOP goto *(&&add + table[*code++])
	HOP;
add: acc += opaque(*code++); HOP;
sub: acc -= opaque(*code++); HOP;
mul: acc *= opaque(*code++); HOP;
out: sink = acc; HOP;
end: return acc;
}

/* Two switches, the second on a value kept in memory across the first. */
struct pair { unsigned kind, sub; int value; };
__attribute__((noinline)) int two(struct pair *p) {
	int r = 0;
	switch (p->kind) {
	case 1: r = opaque(p->value); break;
	case 2: r = p->value * 3; sink = r; break;
	case 3: r = p->value - opaque(8); break;
	case 4: p->value = 4; sink = 1; break;
	case 5: r = opaque(5) + opaque(6); break;
	case 6: p->sub = 3; sink = 12; break;
	}
	switch (p->sub - 10) {
	case 0: return r + opaque(1);
	case 1: sink = 9; return r;
	case 2: return opaque(r) ^ 5;
	case 3: sink = r; return 77;
	case 4: return r - opaque(44);
	case 5: sink -= r; break;
	}
	return r;
}

/* Tail calls through pointers: no table. */
struct object { int (*const *methods)(struct object *, int); };
__attribute__((noinline)) int virtual_call(struct object *o, int x) { return o->methods[3](o, x); }
static int (*const functions[])(int) = {dense, opaque, dense, opaque};
__attribute__((noinline)) int pick(int i, int x) { return functions[i & 3](x); }

int main(int argc, char **argv) {
	struct pair p = {argc, argc + 9, 3};
	int r = dense(argc) + wide(argc) + wide_machine((unsigned char *)argv[0], argc, 2, 3) + biased((signed char *)argv[0]) + masked(argc) + impossible(argc) + machine((unsigned char *)argv[0]);
	r += threaded((unsigned char *)argv[0]) + distances((unsigned char *)argv[0]) + two(&p) + pick(argc, r);
	return r == 12345 ? virtual_call((struct object *)argv, r) : 0;
}
