package hook

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	u := func(target, function string) Hook { return Hook{Kind: Uprobe, Target: target, Function: function} }
	off := func(h Hook, n uint64) Hook { h.Offset, h.HasOffset = n, true; return h }
	at := func(h Hook, n uint64) Hook { h.Address, h.HasAddress = n, true; return h }
	tests := []struct {
		text string
		want Hook
	}{
		{"uprobe:./bin:f", u("./bin", "f")},
		{"u:./bin:f", u("./bin", "f")},
		{" uprobe:./bin:f ", u("./bin", "f")},
		{"ur:libc:malloc", Hook{Kind: Uretprobe, Target: "libc", Function: "malloc"}},
		{"uprobe:./bin:f+0x10", off(u("./bin", "f"), 16)},
		{"uprobe:./bin:f+16", off(u("./bin", "f"), 16)},
		{"uprobe:./bin:f+0", off(u("./bin", "f"), 0)},
		{"uprobe:/bin/x:0x1234", at(u("/bin/x", ""), 0x1234)},
		{"uprobe:/bin/x:4660", at(u("/bin/x", ""), 0x1234)},
		{"uprobe:./bin:*", u("./bin", "*")},
		{"uprobe:./bin:get[ab]?_*", u("./bin", "get[ab]?_*")},
		{"uprobe:./bin:ns::f", u("./bin", "ns::f")},
		{"uprobe:./bin:cpp::f", u("./bin", "cpp::f")},
		{`uprobe:./bin:cpp:"ns::f"`, u("./bin", "ns::f")},
		{"uprobe:./bin:cpp:ns::f", u("./bin", "ns::f")},
		{"uprobe:./bin:ns::S<int, char>::f(int, A const&)", u("./bin", "ns::S<int, char>::f(int, A const&)")},
		{"uprobe:./bin:operator+(A, B)", u("./bin", "operator+(A, B)")},
		{"uprobe:./bin:A::operator->(int, int)", u("./bin", "A::operator->(int, int)")},
		{"uprobe:./bin:A::operator()(int, int) const", u("./bin", "A::operator()(int, int) const")},
		{"uprobe:./bin:operator,(A, B)", u("./bin", "operator,(A, B)")},
		{"uprobe:./bin:operator++", u("./bin", "operator++")},
		{`uprobe:./bin:operator"" _s(char)`, u("./bin", `operator"" _s(char)`)},
		{"uprobe:./bin:main::{lambda(int)#1}::operator()", u("./bin", "main::{lambda(int)#1}::operator()")},
		{"uprobe:./bin:<a::T as b::U<C,D>>::f", u("./bin", "<a::T as b::U<C,D>>::f")},
		{"uprobe:./bin:r::main::{{closure}}", u("./bin", "r::main::{{closure}}")},
		{"uprobe:./bin:main.(*T).add", u("./bin", "main.(*T).add")},
		{"uprobe:./bin:github.com/a/b.F[go.shape.int,int]", u("./bin", "github.com/a/b.F[go.shape.int,int]")},
		{"uprobe:libc:memcpy@GLIBC_2.2.5", u("libc", "memcpy@GLIBC_2.2.5")},
		{`uprobe:./bin:"a b, c"`, u("./bin", "a b, c")},
		{`uprobe:./bin:"f"+8`, off(u("./bin", "f"), 8)},
		{`uprobe:./bin:"f+8"`, u("./bin", "f+8")},
		{`uprobe:./bin:"0x10"`, u("./bin", "0x10")},
		{`uprobe:"/tmp/a:b,c":f`, u("/tmp/a:b,c", "f")},
		{"uprobe:/usr/lib/libstdc++.so.6:f", u("/usr/lib/libstdc++.so.6", "f")},
		{"uprobe:./bin:f.part.0", u("./bin", "f.part.0")},
		{"kprobe:vfs_read", Hook{Kind: Kprobe, Function: "vfs_read"}},
		{"kprobe:vfs_read+8", off(Hook{Kind: Kprobe, Function: "vfs_read"}, 8)},
		{"k:xfs:xfs_read", Hook{Kind: Kprobe, Module: "xfs", Function: "xfs_read"}},
		{"kr:f", Hook{Kind: Kretprobe, Function: "f"}},
		{"kfunc:f", Hook{Kind: Fentry, Function: "f"}},
		{"fentry:xfs:f", Hook{Kind: Fentry, Module: "xfs", Function: "f"}},
		{"kretfunc:f", Hook{Kind: Fexit, Function: "f"}},
		{"tracepoint:sched:sched_switch", Hook{Kind: Tracepoint, Module: "sched", Function: "sched_switch"}},
		{"t:sched:sched_*", Hook{Kind: Tracepoint, Module: "sched", Function: "sched_*"}},
		{"rawtracepoint:sys_enter", Hook{Kind: RawTracepoint, Function: "sys_enter"}},
		{"lsm:file_open", Hook{Kind: LSM, Function: "file_open"}},
		{`SEC("uprobe//lib/x.so:f+8")`, off(u("/lib/x.so", "f"), 8)},
		{`SEC("uprobe/libc.so.6:malloc")`, u("libc.so.6", "malloc")},
		{`SEC("uprobe.multi.s//a/b:f*");`, u("/a/b", "f*")},
		{"uprobe//lib/x.so:f", u("/lib/x.so", "f")},
		{`SEC("fentry/vfs_read")`, Hook{Kind: Fentry, Function: "vfs_read"}},
		{`SEC("?fentry.s/vfs_read")`, Hook{Kind: Fentry, Function: "vfs_read"}},
		{`SEC("kprobe/f+0x8")`, off(Hook{Kind: Kprobe, Function: "f"}, 8)},
		{`SEC("tp/sched/sched_switch")`, Hook{Kind: Tracepoint, Module: "sched", Function: "sched_switch"}},
		{`SEC("raw_tp/sys_enter")`, Hook{Kind: RawTracepoint, Function: "sys_enter"}},
		{`SEC("lsm.s/file_open")`, Hook{Kind: LSM, Function: "file_open"}},
		{`SEC("lsm_cgroup/file_open")`, Hook{Kind: LSM, Function: "file_open"}},
		{`SEC("fentry.s/vfs_read")`, Hook{Kind: Fentry, Function: "vfs_read"}},
		{`SEC("fentry/xfs:xfs_read")`, Hook{Kind: Fentry, Module: "xfs", Function: "xfs_read"}},
		{`SEC("kprobe.multi/vfs_*")`, Hook{Kind: KprobeMulti, Function: "vfs_*"}},
		{`SEC("kprobe.session/vfs_*")`, Hook{Kind: KprobeMulti, Function: "vfs_*"}},
		{`SEC("kretprobe.multi/f")`, Hook{Kind: KretprobeMulti, Function: "f"}},
		{"kprobe.multi:vfs_*", Hook{Kind: KprobeMulti, Function: "vfs_*"}},
		{`SEC("ksyscall/openat")`, Hook{Kind: Ksyscall, Function: "openat"}},
		{"kretsyscall:openat", Hook{Kind: Kretsyscall, Function: "openat"}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.Text = tt.text
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			roundTrip(t, got)
		})
	}
}

func roundTrip(t *testing.T, h Hook) {
	t.Helper()
	again, err := Parse(h.String())
	if err != nil {
		t.Fatalf("%q became %q: %v", h.Text, h.String(), err)
	}
	if !again.same(h) {
		t.Fatalf("%q became %q: %s", h.Text, h.String(), cmp.Diff(h, again))
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		text   string
		column int
		want   string // part of the message
	}{
		{"", 1, "empty"},
		{"  ", 3, "empty"},
		{"uprob:./bin:f", 1, "did you mean uprobe?"},
		{"urpobe:./bin:f", 1, "did you mean uprobe?"},
		{"uretprob:./bin:f", 1, "did you mean uretprobe?"},
		{"usdt:./bin:p", 1, "not a function hook"},
		{"./bin:f", 1, "write uprobe:./bin:f"},
		{"bin:f", 1, "write uprobe:bin:f"},
		{":f", 1, "no kind"},
		{"foo", 1, "no kind and no file"},
		{"uprobe", 1, "nothing after the kind"},
		{"uprobe:", 8, "no file"},
		{"uprobe::f", 8, "no file"},
		{"uprobe:./bin", 13, "uprobe:./bin:* for all"},
		{"uprobe:./bin:", 14, "no function"},
		{"uprobe:./bin:f+zz", 16, "bad offset"},
		{"uprobe:./bin:f+0xzz", 16, "bad offset"},
		{"uprobe:./bin:0x", 14, "bad address"},
		{"uprobe:./bin:0x11112222333344445", 14, "at most 64 bits"},
		{"uprobe:./a:f,uprobe:./a:g", 13, "several hooks"},
		{"uprobe:./a:f,g", 13, "several hooks"},
		{"uprobe:./a:f(int), u:./a:g", 18, "several hooks"},
		{`uprobe:./bin:"f`, 14, "not closed"},
		{`uprobe:./bin:""`, 14, "no function"},
		{`uprobe:./bin:"f"x`, 17, "after the closing quote"},
		{`uprobe:"./bin`, 8, "not closed"},
		{"uprobe:./bin:f { @ = count(); }", 16, "without filter"},
		{"uprobe:./bin:f /pid == 1/ {}", 16, "without filter"},
		{"uprobe:./bin:f\n", 15, "control character"},
		{"kprobe:", 8, "no function"},
		{"tracepoint:sched", 12, "category"},
		{"fentry:f+8", 10, "kprobe can"},
		{"lsm:0x10", 5, "address"},
		{`SEC("uprobe")`, 6, "names no function"},
		{`SEC("uprobe/x`, 5, "not closed"},
		{`SEC(uprobe)`, 5, "no quote"},
		{`SEC("uprobe//bin/x")`, 19, "no function"},
		{`SEC("tp/sched")`, 9, "category"},
		{`SEC("xdp/x")`, 6, "not a function hook"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			h, err := Parse(tt.text)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %+v, %v", h, err)
			}
			if !strings.Contains(err.Error(), tt.want) || syntax.Column != tt.column {
				t.Errorf("%v\nwant column %d and %q", err, tt.column, tt.want)
			}
		})
	}
}

func TestBpftrace(t *testing.T) {
	tests := []struct{ text, want string }{
		{"u:./bin:f", "uprobe:./bin:f"},
		{"uprobe:./bin:f+0x10", "uprobe:./bin:f+16"},
		{"uprobe:/bin/x:0x1234", "uprobe:/bin/x:0x1234"},
		{"uprobe:./bin:ns::f", `uprobe:./bin:"ns::f"`},
		{"uprobe:./my bin:f*", `uprobe:"./my bin":f*`},
		{"uprobe:libc:memcpy@GLIBC_2.2.5", `uprobe:libc:"memcpy@GLIBC_2.2.5"`},
		{"uprobe:./bin:main.(*T).add", `uprobe:./bin:"main.(*T).add"`},
		{"uprobe:./bin:it's", `uprobe:./bin:"it?s"`},
		{"fentry:vfs_read", "kfunc:vfs_read"},
		{"k:xfs:f+8", "kprobe:xfs:f+8"},
	}
	for _, tt := range tests {
		h, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Bpftrace(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "acb", 1}, {"malloc", "mallco", 1}, {"kitten", "sitting", 3}} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// FuzzParse: error xor hook, and every hook survives its own spelling.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"uprobe:./bin:f+0x10", "u:libc:malloc", `uprobe:"/a:b":"f\"g"+8`, "uprobe:/x:0x12", "kprobe:m:f+8", "tracepoint:a:b",
		`SEC("uprobe//lib/x.so:f+8")`, "fentry/vfs_read", "uprobe:./a:f,uprobe:./a:g", "uprobe:./b:operator+(A, B)",
		"uprobe:./b:main.(*T).add", `uprobe:./b:cpp:"ns::f"`, "uprobe:./b:cpp:cpp:f", "uprobe:./b:f { }", `uprobe:./b:operator"" _s`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := Parse(s)
		if err != nil {
			if h != (Hook{}) {
				t.Fatalf("%q: error and hook %+v", s, h)
			}
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Column < 1 || syntax.Column > len(s)+1 {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if h.Function == "" && !h.HasAddress {
			t.Fatalf("%q: no function and no address", s)
		}
		roundTrip(t, h)
		_ = h.Bpftrace()
	})
}
