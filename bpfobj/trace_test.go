package bpfobj

import (
	"strconv"
	"strings"
	"testing"

	"github.com/surehook/surehook/kernel/core"
)

// without is a kernel that has everything but the types and fields named.
type without []string

func (w without) Resolve(r *Relocation) (core.Answer, error) {
	for _, name := range w {
		if r.String() == name {
			return core.Answer{Known: r.Kind.Asks(), Fails: !r.Kind.Asks()}, nil
		}
	}
	return core.Answer{Found: true, Known: true, Value: 1}, nil
}

func (without) Extern(string) (uint64, bool, error) { return 0, false, nil }
func (without) Symbol(string) (bool, bool, error)   { return false, false, nil }
func names(list []*Relocation) (out []string) {
	return each(list, func(r *Relocation) string { return r.String() })
}
func each[T any](l []T, f func(T) string) (o []string) {
	for _, v := range l {
		o = append(o, f(v))
	}
	return o
}

const reads = `
#define SEC(x) __attribute__((section(x), used))
#define CORE __attribute__((preserve_access_index))
typedef unsigned long long u64;
struct task { int state; int pid; } CORE;
struct task___new { int __state; } CORE;
static long (*probe_read)(void *, unsigned, const void *) = (void *)113;
static u64 (*now)(void) = (void *)5;
const volatile int wanted;
SEC("tp_btf/a") int guarded(u64 *ctx) {
	struct task *t = (void *)ctx[1];
	struct task___new *n = (void *)t;
	int v = 0;
	if (__builtin_preserve_field_info(t->state, 2))
		probe_read(&v, sizeof(v), __builtin_preserve_access_index(&t->state));
	else
		probe_read(&v, sizeof(v), __builtin_preserve_access_index(&n->__state));
	return v;
}
SEC("tp_btf/a") int plain(u64 *ctx) {
	struct task *t = (void *)ctx[1];
	int v = 0;
	probe_read(&v, sizeof(v), __builtin_preserve_access_index(&t->state));
	return v + now();
}
SEC("tp_btf/a") int wants(u64 *ctx) {
	struct task *t = (void *)ctx[2];
	int v = 0;
	if (wanted)
		probe_read(&v, sizeof(v), __builtin_preserve_access_index(&t->pid));
	return v;
}
static __attribute__((noinline)) int inner(struct task *t) {
	int v = 0;
	probe_read(&v, sizeof(v), __builtin_preserve_access_index(&t->pid));
	return v;
}
SEC("tp_btf/a") int outer(u64 *ctx) { return inner((void *)ctx[0]); }
`

// TestTrace: what programs can do on kernels that lack a field.
func TestTrace(t *testing.T) {
	f := read(t, compile(t, reads))
	for _, test := range []struct {
		program, lacks, failed, guarded, reads, uses, helpers string
	}{
		{"guarded", "task.state", "", "task.state", "8", "8 task.__state", "113"},
		{"guarded", "task.__state", "", "task.__state", "8", "8 task.state", "113"},
		{"guarded", "", "", "", "8", "8 task.state", "113"},
		{"plain", "task.state", "task.state", "", "8", "8 task.state", "113 5"},
		{"plain", "task.pid", "", "", "8", "8 task.state", "113 5"},
		{"wants", "task.pid", "task.pid unless wanted", "", "16", "16 task.pid unless wanted", "113 unless wanted"},
		{"outer", "task.pid", "task.pid", "", "0", "0 task.pid", "113"},
	} {
		for i := range f.Programs {
			p := &f.Programs[i]
			if p.Name != test.program {
				continue
			}
			got, err := p.Trace(without{test.lacks})
			if err != nil {
				t.Fatal(err)
			}
			unless := func(s, name string) string {
				if name == "" {
					return s
				}
				return s + " unless " + name
			}
			for what, pair := range map[string][2]string{
				"failed":  {test.failed, strings.Join(each(got.Failed, func(f Failure) string { return unless(f.Relo.String(), f.Unless) }), " ")},
				"guarded": {test.guarded, strings.Join(names(got.Guarded), " ")},
				"uses":    {test.uses, strings.Join(each(got.Uses, func(u Use) string { return unless(strconv.Itoa(u.Offset)+" "+u.Relo.String(), u.Unless) }), " ")},
				"helpers": {test.helpers, strings.Join(each(got.Helpers, func(y Call) string { return unless(strconv.Itoa(int(y.Helper)), y.Unless) }), " ")},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s without %q: %s %q, want %q", test.program, test.lacks, what, pair[1], pair[0])
				}
			}
			if len(got.Reads) == 0 || strconv.Itoa(got.Reads[0].Offset) != test.reads || got.NotKnown != "" {
				t.Errorf("%s: reads %+v, %s", test.program, got.Reads, got.NotKnown)
			}
		}
	}
}
