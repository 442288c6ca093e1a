package tetragon

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/bpfobj"
)

const policy = `apiVersion: v1
kind: ConfigMap
---
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: p
spec:
  lists:
  - name: dups
    type: syscalls
    values: [sys_dup, sys_dup2, i386/sys_dup]
  - name: all
    type: generated_ftrace
    pattern: "^ksys_*"
  kprobes:
  - call: fd_install
    syscall: false
    return: true
    returnArg: {index: 0, type: int}
    args:
    - index: 0
      type: int
    - index: 1
      type: file
      label: f
    - {index: 2, type: nop}
    - {index: 3, type: int, source: current_task, resolve: pid}
    data: [{index: 0, type: uint32, source: current_task, resolve: cred.euid.val}, {index: 1, source: pt_regs, resolve: rsp, type: uint64}]
    selectors:
    - matchArgs:
      - {index: 0, operator: Equal, values: ["1"]}
      matchActions:
      - action: Sigkill
  - call: sys_write
    args:
    - {index: 1, type: char_buf, sizeArgIndex: 3}
    - {index: 2, type: size_t}
  - call: __x64_sys_read
    syscall: true
    args: [{index: 0, type: int}]
  - call: "list:dups"
    ignore: {callNotFound: true}
  - call: "list:all"
  fentries:
  - call: vfs_read
  tracepoints:
  - subsystem: raw_syscalls
    event: sys_enter
    args: [{index: 4, type: int64}]
  - subsystem: sched
    event: sched_process_exec
    raw: true
    args:
    - {index: 0, type: int, resolve: "mm.pages[1].count"}
  uprobes:
  - path: /bin/bash
    symbols: [readline, main]
    addrs: [0x1234]
    offsets: [16]
    return: true
    args: [{index: 0, type: int}]
  lsmhooks:
  - hook: file_open
    args: [{index: 0, type: file}]
  usdts:
  - {path: /bin/x, provider: a, name: b}
  enforcers:
  - calls: ["list:dups"]
`

// describe writes what was read as lines.
func describe(f *bpfobj.File) []string {
	var out []string
	for _, p := range f.Programs {
		text := p.Where + " " + p.Name + ":"
		for i, h := range p.Hooks {
			text += fmt.Sprintf(" %s@%d:%d", h, p.Places[i].Line, p.Places[i].Column)
			if i < len(p.ByOffset) && p.ByOffset[i] {
				text += " by offset"
			}
		}
		if p.Optional {
			text += " optional"
		}
		if p.HookNotKnown != "" {
			text += " not known: " + p.HookNotKnown
		}
		out = append(out, text)
		for _, a := range p.Reads {
			source := fmt.Sprintf("arg%d", a.Index)
			switch a.Source {
			case bpfobj.FromReturn:
				source = "result"
			case bpfobj.FromType:
				source = a.Name
			}
			out = append(out, fmt.Sprintf("  %s %s %s %s %v", a.Where, source, strings.Join(a.Path, "."), a.As, a.Shape))
		}
	}
	for _, m := range f.Mistakes {
		out = append(out, fmt.Sprintf("mistake %d:%d %s %v", m.Line, m.Column, m.Reason, m.Maybe))
	}
	for _, s := range f.Skipped {
		out = append(out, fmt.Sprintf("skipped %s %s: %s", s.Where, s.What, s.Why))
	}
	if f.Rejected != nil {
		out = append(out, fmt.Sprintf("rejected %d:%d %s", f.Rejected.Line, f.Rejected.Column, f.Rejected.Reason))
	}
	return out
}

func TestRead(t *testing.T) {
	f, err := Read([]byte(policy), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"17:5 p kprobes[0] fd_install: kprobe:fd_install@17:11",
		"  23:13 arg0   {1 4}",
		"  25:13 arg1  struct file * {0 0}",
		"  28:24 struct task_struct pid  {1 4}",
		"  29:29 struct task_struct cred.euid.val  {1 4}",
		"17:5 p kprobes[0] fd_install (return): kretprobe:fd_install@17:11",
		"  20:33 result   {1 4}",
		"35:5 p kprobes[1] sys_write: ksyscall:write@35:11",
		"  37:24 arg1   {3 0}",
		"  37:48 arg2   {1 0}",
		"  38:24 arg2   {1 8}",
		"39:5 p kprobes[2] __x64_sys_read: kprobe:__x64_sys_read@39:11",
		"42:5 p kprobes[3] list:dups: ksyscall:dup@12:14 ksyscall:dup2@12:23 optional not known: system calls of another ABI (i386) are not looked at",
		"44:5 p kprobes[4] list:all: not known: the functions of list all are made of those of the kernel that tetragon runs on (generated_ftrace)",
		"46:5 p fentries[0] vfs_read: fentry:vfs_read@46:11",
		"48:5 p tracepoints[0] sys_enter: tracepoint:raw_syscalls:sys_enter@49:12",
		"  50:29 arg4   {1 8}",
		"51:5 p tracepoints[1] sched_process_exec: rawtracepoint:sched_process_exec@52:12",
		"  55:24 arg0 mm.pages.[].count  {1 4}",
		`57:5 p uprobes[0] /bin/bash: uprobe:/bin/bash:readline@58:15 uprobe:/bin/bash:main@58:25 uprobe:/bin/bash:0x1234@59:13 uprobe:/bin/bash:0x10@60:15 by offset`,
		`57:5 p uprobes[0] /bin/bash (return): uretprobe:/bin/bash:readline@58:15 uretprobe:/bin/bash:main@58:25 uretprobe:/bin/bash:0x1234@59:13 uretprobe:/bin/bash:0x10@60:15 by offset`,
		"64:5 p lsmhooks[0] file_open: lsm:file_open@64:11",
		"  65:29 arg0  struct file * {0 0}",
		"67:5 p usdts[0] a:b: not known: static probes of programs (usdt) are not looked at",
		"69:5 p enforcers[0] list:dups: ksyscall:dup@12:14 ksyscall:dup2@12:23 not known: system calls of another ABI (i386) are not looked at",
		"skipped 1:1 a resource of kind ConfigMap: no policy",
		"skipped 39:11 arguments of __x64_sys_read: of a system call by its name in the kernel they are not compared; write sys_NAME",
		"skipped 62:11 arguments of uprobes[0]: arguments of uprobes are not compared with the program's functions",
	}
	if diff := cmp.Diff(want, describe(f)); diff != "" {
		t.Error(diff)
	}
}

// TestMistakes: each is told with its place, and the rest is read.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"kind: TracingPolicy\nspec:\n  kprobes:\n  - call: f\n    sycall: false\n    frobnicate: 1\n", []string{
			"4:5 kprobes[0] f: kprobe:f@4:11",
			`mistake 5:5 spec.kprobes[0]: unknown field "sycall"; did you mean syscall? false`,
			`mistake 6:5 spec.kprobes[0]: unknown field "frobnicate" true`,
		}},
		{"kind: TracingPolicy\nspec:\n  kprobes:\n  - call: f\n    args: [{index: 0, type: fil}]\n", []string{
			"4:5 kprobes[0] f: kprobe:f@4:11",
			`mistake 5:29 spec.kprobes[0].args[0].type: "fil" is none of`,
		}},
		{"kind: TracingPolicy\nspec:\n  kprobes:\n  - {}\n  - x\n  uprobes:\n  - path: /x\n", []string{
			"7:5 uprobes[0] /x: not known: neither symbols nor addrs nor offsets are given",
			"mistake 4:5 spec.kprobes[0]: no call false", "mistake 5:5 spec.kprobes[1]: a value is here, a map is expected false",
			"mistake 7:5 uprobes[0]: no symbols, addrs or offsets false",
		}},
		{"kind: List\nitems:\n- kind: TracingPolicyNamespaced\n  metadata: {name: n}\n  spec: {uprobes: [{path: /x, symbols: [f]}], kprobes: [{call: 'list:no'}]}\n- kind: Pod\n", []string{
			"5:57 n kprobes[0] list:no: not known: there is no list no",
			"5:20 n uprobes[0] /x: uprobe:/x:f@5:41",
			`mistake 5:64 no list "no" in this policy false`,
			"mistake 5:20 a TracingPolicyNamespaced may not have uprobes or usdts; Tetragon refuses it since 1.7.1 false",
			"skipped 6:3 a resource of kind Pod: no policy",
		}},
		{"apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nspec: {\n", []string{"rejected 4:1 "}},
	} {
		f, err := Read([]byte(tt.text), "p.yaml")
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		got := describe(f)
		for i := range got {
			if i < len(tt.want) && strings.HasPrefix(got[i], tt.want[i]) {
				got[i] = tt.want[i]
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.text, diff)
		}
	}
}

func TestNoPolicy(t *testing.T) {
	for text, damaged := range map[string]bool{"": false, "a: 1\n": false, "kind: List\nitems: [{kind: Pod}]": false, "{{ .Values }}": true, "kind: Pod\nx: [": true} {
		f, err := Read([]byte(text), "p.yaml")
		e := (*NoPolicyError)(nil)
		if !errors.As(err, &e) || f != nil || (e.Damage != nil) != damaged {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBomb: aliases that make a billion nodes are refused.
func TestBomb(t *testing.T) {
	text := "kind: TracingPolicy\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		text += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ","))
	}
	f, err := Read([]byte(text), "p.yaml")
	if err != nil || f.Rejected == nil || !strings.Contains(f.Rejected.Reason, "too large") {
		t.Errorf("%+v, %v", f, err)
	}
}

// FuzzRead: an error or a file, and every place is in the text.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		policy, "kind: TracingPolicy\nspec: {\n", "kind: List\nitems: &a [*a]\n", "kind: TracingPolicy\nspec: {lists: [{name: x, values: [sys_, sys_a, /]}], kprobes: [{call: 'list:x', return: true}]}\n",
		"kind: TracingPolicy\nspec: {uprobes: [{path: x, offsets: [-1, 0xffffffffffffffffff], symbols: [[]]}], tracepoints: [{event: x, args: [{index: 99999999999, resolve: 'a[[.', type: int}]}]}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(data, "x")
		if (got == nil) != (err != nil) {
			t.Fatal("error xor value")
		}
		e := (*NoPolicyError)(nil)
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
			return
		}
		for _, p := range got.Programs {
			if len(p.Hooks) != len(p.Places) || p.ByOffset != nil && len(p.ByOffset) != len(p.Hooks) {
				t.Fatalf("%+v", p)
			}
		}
	})
}
