package loader

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// library is what the code of libbpf 1.1 does, as far as it is looked at.
const librarySource = `
#include <errno.h>
struct object { char name[0x98]; char loaded; };
struct program { char a[0x70]; struct object *obj; int fd; char autoload, autoattach; char b[0x20]; };
struct map { struct object *obj; char a[0x8a]; char autocreate; };
#define noinline __attribute__((noinline))
noinline int bump(void) { asm volatile(""); return 0; }
int set_autocreate(struct map *m, _Bool on) { if (m->obj->loaded) { errno = EBUSY; return -EBUSY; } m->autocreate = on; return 0; }
int set_autoload(struct program *p, _Bool on) { if (p->obj->loaded) { errno = EINVAL; return -EINVAL; } p->autoload = on; return 0; }
noinline int find(struct object *o, const char *name) { asm volatile("" :: "r"(o), "r"(name)); return bump(); }
int set_attach_target(struct program *p, int fd, const char *name) {
	if (!p || fd < 0) return -EINVAL;
	if (p->obj->loaded) { errno = EINVAL; return -EINVAL; }
	if (fd && !name) { p->fd = fd; return 0; }
	return find(p->obj, name);
}
void *attach_kprobe(struct program *p, _Bool ret, const char *name) { return find(p->obj, name) ? p : 0; }
void *attach(struct program *p) { return find(p->obj, "x") ? p : 0; }
`

const toolSource = `
#include <stdio.h>
struct program; struct map;
struct skeleton { void *skeleton, *object; struct map *m1, *m2; struct program *p[8]; };
int set_autoload(struct program *, _Bool); int set_autocreate(struct map *, _Bool);
int set_attach_target(struct program *, int, const char *);
void *attach_kprobe(struct program *, _Bool, const char *); void *attach(struct program *);
struct skeleton *load(void);
__attribute__((noinline)) int retarget(struct program *p) {
	if (!set_attach_target(p, 0, "new_name")) return 0;
	return set_attach_target(p, 0, "old_name");
}
int main(int argc, char **argv) {
	struct skeleton *s = load();
	if (argc > 1) { set_autoload(s->p[0], 0); set_autocreate(s->m2, 0); }
	else set_autoload(s->p[1], 0);
	set_autoload(s->p[7], 1);
	retarget(s->p[2]);
	if (argc > 2) set_attach_target(s->p[3], 0, "either"); else set_attach_target(s->p[3], 0, "or.part.0");
	set_attach_target(s->p[4], 0, argv[1]);
	puts(attach_kprobe(s->p[5], 1, "probed") ? "yes" : "no");
	return attach(s->p[6]) != 0;
}
`

const skeletonSource = `
#include <stdlib.h>
void *load(void) { return calloc(1, 100); }
`

// build links a tool with what stands for libbpf, in the order of real ones.
func build(t testing.TB, tool string, flags ...string) []byte {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc: ", err)
	}
	dir := t.TempDir()
	args := append([]string{"-m64", "-O2", "-o", "tool", "-s"}, flags...)
	for i, text := range []string{tool, skeletonSource, librarySource} {
		name := fmt.Sprintf("%d.c", i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	cmd := exec.Command(gcc, args...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("needs gcc for x86-64: %v\n%s", err, text)
	}
	data, err := os.ReadFile(filepath.Join(dir, "tool"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// describe writes acts without their places.
func describe(r Result) string {
	var b strings.Builder
	for i, acts := range r.Acts[0] {
		for _, a := range acts {
			fmt.Fprintf(&b, "%d %s %s\n", i, a.Kind, a.Target)
		}
	}
	return b.String() + r.NotKnown
}

func readAll(t testing.TB, data []byte) Result {
	t.Helper()
	r, err := Read(bytes.NewReader(data), int64(len(data)), []Skeleton{{First: 32, Programs: 8}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRead(t *testing.T) {
	const want = `0 leaves out 
1 leaves out 
2 names target new_name
2 names target old_name
3 names target either
3 names target or.part.0
4 names target 
5 names target probed
6 attaches 
`
	for _, flags := range []string{"-fcf-protection=none", "-fcf-protection=full", "-fno-reorder-functions -fno-stack-protector", "-no-pie"} {
		if got := describe(readAll(t, build(t, toolSource, strings.Fields(flags)...))); got != want {
			t.Errorf("%s:\n%s", flags, got)
		}
	}
}

// TestAnyProgram: which program is left out cannot be seen, so it may be each.
func TestAnyProgram(t *testing.T) {
	tool := strings.Replace(toolSource, "set_autoload(s->p[7], 1);", "for (int i = 0; i < argc; i++) set_autoload(s->p[i], argc > 5);", 1)
	r := readAll(t, build(t, tool))
	for i, acts := range r.Acts[0] {
		if len(acts) == 0 || acts[0].Kind != LeavesOut {
			t.Errorf("program %d: %v", i, acts)
		}
	}
}

// TestNotKnown: no libbpf, other machines, damaged files.
func TestNotKnown(t *testing.T) {
	whole := build(t, toolSource)
	arm := bytes.Clone(whole)
	arm[18], arm[19] = 183, 0
	cut := whole[:len(whole)/8]
	without := bytes.ReplaceAll(whole, []byte{0x40, 0x88, 0x77}, []byte{0x40, 0x88, 0x76})
	for name, c := range map[string]struct {
		data []byte
		want string
	}{"arm": {arm, "AARCH64"}, "cut": {cut, "behind the end"}, "no libbpf": {without, "not found"}, "empty": {nil, "no ELF header"}} {
		if got := readAll(t, c.data).NotKnown; !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// FuzzRead: any bytes give acts or a reason, and no error but the reader's.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x7fELF"))
	if _, err := exec.LookPath("gcc"); err == nil {
		f.Add(build(f, toolSource))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(bytes.NewReader(data), int64(len(data)), []Skeleton{{First: 32, Programs: 3}, {}})
		if err != nil || len(r.Acts) != 2 || len(r.Acts[0]) != 3 {
			t.Fatal(r, err)
		}
	})
}
