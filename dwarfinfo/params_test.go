package dwarfinfo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
)

const paramSource = `
struct pair { int a, b; };
static __attribute__((noinline)) int sum(const struct pair *p, int unused, int n) { __asm__ volatile("" ::: "memory"); return p->a + n; }
__attribute__((noinline)) int plain(int a, long b) { return a + b; }
int big(struct pair p, char c, ...) { return p.a + c; }
__attribute__((noinline)) int use(struct pair *p) { return sum(p, 3, 1) + sum(p, 3, 4); }
int main(void) { struct pair p = { 1, 2 }; return use(&p) + plain(1, 2); }
`

// TestParams: parameters by name, and where they are when a body is entered.
func TestParams(t *testing.T) {
	for _, version := range []string{"-gdwarf-4", "-gdwarf-5"} {
		t.Run(version, func(t *testing.T) {
			data := compiled(t, "gcc", "-O2", version)
			r, err := data.Params()
			if err != nil {
				t.Fatal(err)
			}
			type param struct {
				Name  string
				Place dwarfinfo.Place
				Reg   uint8
			}
			want := map[string][]param{
				"plain": {{"a", dwarfinfo.InRegister, 5}, {"b", dwarfinfo.InRegister, 4}},
				"use":   {{"p", dwarfinfo.InRegister, 5}},
			}
			for i := range data.Funcs {
				fn := &data.Funcs[i]
				if len(fn.Ranges) == 0 || want[fn.Name] == nil {
					continue
				}
				ps, err := r.Of(int32(i))
				if err != nil {
					t.Fatal(err)
				}
				var got []param
				for _, p := range ps {
					got = append(got, param{p.Name, p.Place, p.Reg})
				}
				if diff := cmp.Diff(want[fn.Name], got); diff != "" {
					t.Errorf("%s: %s", fn.Name, diff)
				}
				delete(want, fn.Name)
			}
			if len(want) > 0 {
				t.Errorf("not found: %v", want)
			}
		})
	}
}

// TestParamsOfClone: what became of the parameters of a clone.
func TestParamsOfClone(t *testing.T) {
	data := compiled(t, "gcc", "-O2", "-g")
	r, err := data.Params()
	if err != nil {
		t.Fatal(err)
	}
	for i := range data.Funcs {
		fn := &data.Funcs[i]
		if fn.Name != "sum" || len(fn.Ranges) == 0 {
			continue
		}
		abstract, err := r.Of(fn.Root)
		if err != nil || len(abstract) != 3 || abstract[2].Name != "n" {
			t.Fatalf("%+v %v", abstract, err)
		}
		body, err := r.Of(int32(i))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range body {
			switch p.Origin {
			case abstract[1].Offset:
				if p.Place == dwarfinfo.InRegister {
					t.Errorf("the parameter that is not used is in register %d", p.Reg)
				}
			case abstract[2].Offset: // it moved up: rsi, if the pointer or what it leads to is in rdi
				if p.Place != dwarfinfo.InRegister || p.Reg != 4 {
					t.Errorf("n: %+v", p)
				}
			}
		}
		return
	}
	t.Fatal("no body of sum")
}

func compiled(t *testing.T, compiler string, flags ...string) *dwarfinfo.Data {
	t.Helper()
	if _, err := exec.LookPath(compiler); err != nil {
		t.Skip("no ", compiler)
	}
	dir := t.TempDir()
	src, out := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
	if err := os.WriteFile(src, []byte(paramSource), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(compiler, append(flags, "-o", out, src)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	f, err := elfbin.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	data, err := dwarfinfo.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
