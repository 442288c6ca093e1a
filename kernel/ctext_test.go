package kernel_test

import (
	"strings"
	"testing"

	"github.com/surehook/surehook/kernel"
)

func TestTypeC(t *testing.T) {
	for _, c := range []struct {
		t    kernel.Type
		name string
		want string
	}{
		{"i:int", "a", "int a"},
		{"0", "", "void"},
		{"*s:file", "f", "struct file *f"},
		{"*cs:dentry", "d", "const struct dentry *d"},
		{"c*s:dentry", "d", "struct dentry *const d"},
		{"c*ci:char", "", "const char *const"},
		{"[16]i:char", "comm", "char comm[16]"},
		{"[2][3]i:int", "m", "int m[2][3]"},
		{"*[3]i:int", "p", "int (*p)[3]"},
		{"*(*s:file,t:loff_t,.)i:int", "fn", "int (*fn)(struct file *, loff_t, ...)"},
		{"[4]*()0", "ops", "void (*ops[4])(void)"},
		{"**(i:int)0", "", "void (**)(int)"},
		{"{u8;a@0=i:int;b@0=*0;}", "x", "union { int a; void *b; } x"},
		{"{s8;a@0:3=i:int;@32={s4;c@0=i:int;};}", "", "struct { int a : 3; struct { int c; }; }"},
		{"{e4;A=1;B=-2;}", "e", "enum { A=1, B=-2 } e"},
		{"e:state", "s", "enum state s"},
		{"i:unsigned long", "n", "unsigned long n"},
		{"z:what", "n", "z:what n"}, // no Type
		{"*", "n", "* n"},
		{kernel.Type(strings.Repeat("*", 1000) + "0"), "", strings.Repeat("*", 1000) + "0"},
	} {
		if got := c.t.C(c.name); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.t, c.name, got, c.want)
		}
	}
}

func FuzzTypeC(f *testing.F) {
	for _, s := range []string{"*cs:dentry", "*(*s:file,t:loff_t,.)i:int", "{s8;a@0:3=i:int;@32={s4;c@0=i:int;};}", "{e4;A=1;}", "[3]0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := kernel.Type(s).C("x"); len(got) > 100*len(s)+100 {
			t.Errorf("%q became %d bytes", s, len(got))
		}
	})
}

func TestProtoC(t *testing.T) {
	p := kernel.Proto{Params: []kernel.Param{{Name: "f", Type: "*s:file"}, {Type: "t:loff_t"}}, Result: "i:int"}
	if got := p.C("vfs_read"); got != "int vfs_read(struct file *f, loff_t)" {
		t.Error(got)
	}
	if got := (kernel.Proto{Result: "*0"}).C("f"); got != "void *f(void)" {
		t.Error(got)
	}
}
