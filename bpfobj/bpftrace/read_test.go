package bpftrace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/bpfobj"
)

// summary is a script's result in one line a fact.
func summary(f *bpfobj.File) string {
	var b strings.Builder
	for _, p := range f.Programs {
		fmt.Fprintf(&b, "%s %s\n", p.Where, p.Name)
		for i, h := range p.Hooks {
			fmt.Fprintf(&b, "  %d:%d %s\n", p.Places[i].Line, p.Places[i].Column, h.String())
		}
		if p.AnyOf {
			fmt.Fprintf(&b, "  any of them %s\n", p.AnyOfWhen)
		}
		if p.HookNotKnown != "" {
			fmt.Fprintf(&b, "  not known: %s\n", p.HookNotKnown)
		}
		for _, r := range p.Reads {
			source := []string{fmt.Sprintf("arg%d", r.Index), "args." + r.Name, "retval", r.Name, "reg " + r.Name}[r.Source]
			fmt.Fprintf(&b, "  %d:%d %s\n", r.Line, r.Column, strings.Join(strings.Fields(source+" "+strings.Join(r.Path, ".")+" "+r.As), " "))
		}
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(&b, "skipped %s: %s\n", strings.TrimSpace(s.What+" "+s.Where), s.Why)
	}
	if len(f.Own) > 0 {
		fmt.Fprintf(&b, "own %s\n", strings.Join(f.Own, ", "))
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"lists, comments, predicates", `#!/usr/bin/env bpftrace
/* kprobe:not_this */
kprobe:a, // one
  k:vmlinux:b+0x10,
kretprobe:c.isra.*
/pid == 1 && arg0 / 2 > 3/ { @[comm] = count() }
kprobe:d/tid/{}`,
			`3:1 kprobe:a, ...
  3:1 kprobe:a
  4:3 kprobe:vmlinux:b+0x10
  5:1 kretprobe:c.isra.*
  any of them before bpftrace 0.24
  6:14 arg0
7:1 kprobe:d
  7:1 kprobe:d
`},
		{"files", `uprobe:/bin/bash:readline, u:libc:malloc{} uretprobe:/a/b.so:"f(int, char)" / retval / {}
uprobe:/bin/$1:f { } usdt:/bin/x:p { } uprobe:/lib/*.so:f {} uprobe:./x:cpp:main {}`,
			`1:1 uprobe:/bin/bash:readline, ...
  1:1 uprobe:/bin/bash:readline
  1:28 uprobe:libc:malloc
  any of them before bpftrace 0.24
1:44 uretprobe:/a/b.so:"f(int, char)"
  1:44 uretprobe:/a/b.so:f(int, char)
  1:79 retval
2:1 uprobe:/bin/$1:f
  not known: uprobe:/bin/$1:f: it depends on an argument of the script: uprobe:/bin/$1:f
2:22 usdt:/bin/x:p
  not known: usdt:/bin/x:p: static probes of programs (usdt) are not looked at
2:40 uprobe:/lib/*.so:f
  not known: uprobe:/lib/*.so:f: which files /lib/*.so stands for is not looked up
2:62 uprobe:./x:cpp:main
  2:62 uprobe:./x:main
`},
		{"members", `kprobe:f {
  $sk = (struct sock *)arg0;
  $p = $sk->__sk_common.skc_dport;
  @s[tid] = (struct tcp_sock *)$sk;
  if ($p) { print(*$sk->sk_socket); } else if (1) { $t = curtask; print($t->pid) }
  print(((struct file *)arg1)->f_path.dentry->d_name[2].name);
}
kprobe:g { print(@s[tid]->snd_cwnd, @no->x); print(reg("di")) }
fentry:h { $f = args->file; print($f->f_flags, args.n); $q = (struct qstr *)args.name }
fexit:h { print(retval->a) }
tracepoint:sched:sched_switch { print(args->data_loc_x); print(args.prev_pid) }
profile:hz:99 { print(offsetof(struct a, b.c), sizeof(struct d), (uint64)arg2) }
BEGIN { }`,
			`1:1 kprobe:f
  1:1 kprobe:f
  2:24 arg0 struct sock *
  3:25 struct sock __sk_common.skc_dport
  5:25 struct sock sk_socket
  5:77 struct task_struct pid
  6:25 arg1 struct file *
  6:57 struct file f_path.dentry.d_name.[].name
8:1 kprobe:g
  8:1 kprobe:g
  8:27 struct tcp_sock snd_cwnd
  8:56 reg di
9:1 fentry:h
  9:1 fentry:h
  9:39 args.file f_flags
  9:53 args.n
  9:77 args.name struct qstr *
10:1 fexit:h
  10:1 fexit:h
  10:25 retval a
11:1 tracepoint:sched:sched_switch
  11:1 tracepoint:sched:sched_switch
  11:45 args.x
  11:69 args.prev_pid
12:1 profile:hz:99
  12:44 struct a b.c
  12:74 arg2 uint64
skipped member x 8:42: it is not known what type the value has
skipped probes BEGIN: timers, counters, or the script itself: they hook nothing
`},
		{"definitions", `#ifndef BPFTRACE_HAVE_BTF
#include <linux/fs.h>
struct old { int x; };
#else
#include <sys/socket.h>
#include <net/sock.h>
#endif
struct own { int a; struct { int b; } c; };
config = { missing_probes = "warn"; max_map_keys = 10 }
import "stdlib";
let @m = hash(10);
macro add($x) { $x + 1 }
fn twice($x : int64) : int64 { return $x * 2; }
begin { let $a : uint64 = 5ms; for ($kv : @m) { print($kv.0) } for $i : 0..10 { continue; } unroll(3) { break } while ($a) { $a--; ++@c } }
END { @x = (1, "b"); @x = cond ? 1 : -2; @y[1, "k"] <<= 3; clear(@x); 'c'; return }
`,
			`skipped macro add 12:1: what it reads depends on where it is used
skipped macro twice 13:1: what it reads depends on where it is used
skipped probes begin, END: timers, counters, or the script itself: they hook nothing
skipped header net/sock.h: the script takes layouts from the headers installed for the kernel; they are checked against the kernel's own types
own struct own
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Read([]byte(tt.script), "x.bt")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, summary(f)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSyntaxErrors: line, column and what is expected.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"kprobe:vfs_read { @[comm = count(); }", "x.bt:1:26: unexpected =, expecting ] or ,"},
		{"kprobe:f {\n  $a = 1 $b = 2\n}", "x.bt:2:10: unexpected $b, expecting ; or }"},
		{"kprobe:f { if (1) { } else print(1); }", "x.bt:1:28: unexpected print, expecting {"},
		{"kprobe:f { print(1); ; }", "x.bt:1:22: unexpected ;"},
		{"kprobe:f { 1 + }", "x.bt:1:16: unexpected }"},
		{"kprobe:f { (struct file)", "x.bt:1:25: unexpected end of file"},
		{"kprobe:f { f() = 2 }", "x.bt:1:16: unexpected =, expecting ; or }"},
		{"kprobe:f { é }", `x.bt:1:12: invalid character "é"`},
		{"kprobe:f { \"é\" % }", "x.bt:1:18: unexpected }"},
		{"kprobe:f { \"abc\n\" }", "x.bt:1:16: string is not closed"},
		{"kprobe:f /* ", "x.bt:1:10: comment is not closed"},
		{"kprobe:f", "x.bt:1:9: unexpected end of file, expecting {"},
		{"kprobe: { }", "x.bt:1:1: kprobe needs a function or event"},
		{"tracepoint:sched { }", "x.bt:1:12: a tracepoint needs a category and a name; write tracepoint:sched:sched_switch"},
		{"probe:f { }", `x.bt:1:1: no probe is called "probe"`},
		{"kprobe:f { } #define X 1", "x.bt:1:14: unexpected preprocessor directive, expecting an attach point"},
		{"kprobe:f { 0x }", "x.bt:1:12: bad number 0x"},
		{"kprobe:f { 12abc }", "x.bt:1:12: bad number 12abc"},
		{"kprobe:f { $ }", "x.bt:1:12: $ without a name"},
		{"kprobe:f { @x[] = 1 }", "x.bt:1:12: no key between the brackets of @x"},
		{"kprobe:f { ++5 }", "x.bt:1:12: ++ and -- need a variable or a map"},
		{"struct a { int x; }", "x.bt:1:1: definition of struct is not closed"},
		{"kprobe:f /pid/ ", "x.bt:1:16: unexpected end of file"},
		{"kprobe:f { " + strings.Repeat("(", 300), "nested more than 200 deep"},
		{"kprobe:f " + strings.Repeat("{ ", 300), "nested more than 200 deep"},
		{"interval { }", "x.bt:1:1: interval needs more than its name"},
		{strings.Repeat(" ", maxSize+1), "bytes, more than"},
	} {
		f, err := Read([]byte(tt.script), "x.bt")
		e := (*SyntaxError)(nil)
		if f != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: %v, want %s", tt.script, err, tt.want)
		}
	}
}

// scripts are those of the package bpftrace.
func scripts(t testing.TB) map[string]string {
	t.Helper()
	names, err := filepath.Glob("/usr/sbin/*.bt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

// TestDebianScripts: all are read, and something is known of each.
func TestDebianScripts(t *testing.T) {
	all := scripts(t)
	if len(all) == 0 {
		t.Skip("needs the package bpftrace")
	}
	for name, src := range all {
		f, err := Read([]byte(src), name)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(f.Programs) == 0 && !strings.Contains(src, "profile:") && !strings.Contains(src, "interval:") {
			t.Errorf("%s: no programs", name)
		}
	}
}

// TestAgainstBpftrace: what it calls a syntax error is one here, and the other
// way around, on scripts that are damaged in one place.
func TestAgainstBpftrace(t *testing.T) {
	program, err := exec.LookPath("bpftrace")
	all := scripts(t)
	if err != nil || len(all) == 0 {
		t.Skip("needs bpftrace and its scripts")
	}
	tried, rejected := 0, 0
	for _, name := range []string{"/usr/sbin/tcplife.bt", "/usr/sbin/capable.bt", "/usr/sbin/opensnoop.bt"} {
		src := all[name]
		at := strings.Index(src, "BEGIN")
		if at < 0 {
			continue
		}
		for i := range damaged(t) {
			tried++
			bad := damage(src, at, i)
			_, ours := Read([]byte(bad), "x.bt")
			if ours != nil {
				rejected++
			}
			theirs := syntaxError(t, program, bad)
			if (ours != nil) != (theirs != "") {
				t.Errorf("%s, damage %d: here %v, bpftrace %q", name, i, ours, theirs)
			}
		}
	}
	if tried > 0 && (rejected == 0 || rejected == tried) {
		t.Errorf("%d of %d rejected", rejected, tried)
	}
}

// damaged is how many damages of a script are tried.
func damaged(t *testing.T) int {
	if n := os.Getenv("SUREHOOK_DAMAGES"); n != "" {
		var k int
		if _, err := fmt.Sscan(n, &k); err != nil {
			t.Fatal(err)
		}
		return k
	}
	return 6
}

// damage takes one character of the actions out; which one depends on i only.
func damage(src string, from, i int) string {
	var places []int
	for at := from; at < len(src); at++ {
		if strings.IndexByte("{}()[];,=\"/$@-<>+", src[at]) >= 0 {
			places = append(places, at)
		}
	}
	at := places[(i*7919+13)%len(places)]
	return src[:at] + src[at+1:]
}

// syntaxError is the first error about syntax that bpftrace gives.
func syntaxError(t *testing.T, program, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.bt")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(program, "-d", path).CombinedOutput()
	for line := range strings.SplitSeq(string(out), "\n") {
		for _, word := range []string{"syntax error", "invalid character", "unterminated string", "Invalid probe type", "probe type requires"} {
			if strings.Contains(line, word) {
				return line
			}
		}
	}
	return ""
}

// FuzzRead: an error with its place, or a file.
func FuzzRead(f *testing.F) {
	for _, src := range scripts(f) {
		f.Add([]byte(src))
	}
	for _, src := range []string{
		"kprobe:f { $a = (struct x *)arg0; print($a->b[1].c) }", "#ifdef A\n#include <linux/a.h>\n#endif\nstruct x { int a; };\nBEGIN {}",
		"config = { a = 1 } macro m($x) { } fn f() : int { } let @a = hash(1); END { }", "uprobe:/x:\"a\\\"b\" /1/ { offsetof(struct a, b.c); @[1,2]++ }",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(data, "x")
		if (got == nil) != (err != nil) {
			t.Fatal("error xor value")
		}
		e := (*SyntaxError)(nil)
		if err != nil && (!errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Line > strings.Count(string(data), "\n")+1) {
			t.Fatalf("%v", err)
		}
	})
}
