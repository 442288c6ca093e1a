package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/surehook/surehook/hook"
)

func TestParseConfig(t *testing.T) {
	got, err := ParseConfig("/etc/surehook/hooks.yaml", []byte(`
no-gap: true
listen: 127.0.0.1:9464
pin: /sys/fs/bpf/surehook
debug-dirs: [debug, /usr/lib/debug]
hooks:
  - hook: uprobe:/usr/lib/libssl.so.3:SSL_write
    name: tls-write
    containers: true
  - hook: uretprobe:libc:malloc
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Path: "/etc/surehook/hooks.yaml", NoGap: true, Listen: "127.0.0.1:9464", Pin: "/sys/fs/bpf/surehook",
		DebugDirs: []string{"/etc/surehook/debug", "/usr/lib/debug"},
		Hooks: []Hook{
			{Name: "tls-write", Inside: true, Line: 7, Column: 5},
			{Name: "uretprobe:libc:malloc", Line: 10, Column: 5},
		},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreTypes(hook.Hook{})); d != "" {
		t.Error(d)
	}
	if h := got.Hooks[0].Hook; h.Kind != hook.Uprobe || h.Function != "SSL_write" {
		t.Errorf("first hook is %+v", h)
	}
}

func TestConfigErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "h.yaml: nothing is in it; write hooks: and a list of them"},
		"no hooks":   {"no-gap: true\n", "h.yaml:1:1: no hooks"},
		"empty list": {"hooks: []\n", "h.yaml:1:8: hooks: an empty list; there is nothing to watch"},
		"unknown":    {"hook:\n- hook: uprobe:/a:f\n", "h.yaml:1:1: unknown field \"hook\"; did you mean hooks?\nh.yaml:1:1: no hooks"},
		"field":      {"hooks:\n- hook: uprobe:/a:f\n  nme: x\n", `h.yaml:3:3: hooks[0]: unknown field "nme"; did you mean name?`},
		"text":       {"hooks: uprobe:/a:f\n", "h.yaml:1:8: hooks: a value is here, a list is expected"},
		"kernel":     {"hooks:\n- hook: kprobe:vfs_read\n", "h.yaml:2:9: kprobe:vfs_read: a function of the running kernel does not move; surehook trace attaches it, watch is for files"},
		"twice":      {"hooks:\n- hook: uprobe:/a:f\n- hook: uprobe:/a:f\n", `h.yaml:3:3: "uprobe:/a:f" is there already, in line 2; give one of them another name`},
		"listen":     {"listen: 9464\nhooks:\n- hook: uprobe:/a:f\n", `h.yaml:1:9: listen: "9464" is no address; write host:port, as 127.0.0.1:9464`},
		"pin":        {"pin: here\nhooks:\n- hook: uprobe:/a:f\n", `h.yaml:1:6: pin: "here" is not absolute; write a directory in a BPF file system, as /sys/fs/bpf/surehook`},
		"state":      {"state: x\nhooks:\n- hook: uprobe:/a:f\n", `h.yaml:1:8: state: "x" is not absolute; write a directory that outlives a restart, as /var/lib/surehook`},
		"flag":       {"no-gap: 3\nhooks:\n- hook: uprobe:/a:f\n", `h.yaml:1:9: no-gap: "3" is neither true nor false`},
		"documents":  {"hooks:\n- hook: uprobe:/a:f\n---\nhooks: []\n", "h.yaml:4:1: a second document; put all hooks into one list"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseConfig("h.yaml", []byte(c.text))
			if got != nil || err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("hooks:\n- hook: uprobe:/a:f\n  name: x\nlisten: :1\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig("h.yaml", data)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v, error %v", c, err)
		}
	})
}

func TestExampleConfig(t *testing.T) {
	name := filepath.Join("..", "..", "dist", "systemd", "hooks.yaml")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseConfig(name, data); err != nil {
		t.Error(err)
	}
}
