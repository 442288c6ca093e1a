package daemon

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/yamltree"
)

// Config is what a file of hooks says. What the file leaves out is zero.
type Config struct {
	Path       string // of the file; "" if the hooks came from elsewhere
	NoGap      bool   // hold back opens of a new file until its probes are attached
	Listen     string // address of the metrics, host:port; "" for none
	Pin        string // directory in a BPF file system that keeps the probes while no daemon runs; "" for none
	State      string // directory for the counts that go with Pin; DefaultState if it is not given
	DebugDirs  []string
	Debuginfod bool
	Hooks      []Hook
}

// DefaultState is where counts are kept that outlive the daemon.
const DefaultState = "/var/lib/surehook"

// Hook is one hook of the configuration.
type Hook struct {
	Hook   hook.Hook
	Name   string // in metrics and logs; unique; the hook as it is written if none is given
	Inside bool   // in all containers too
	Line   int    // where it stands, from 1; 0 if it came from elsewhere
	Column int
}

// ConfigError is something in the file that cannot be understood.
type ConfigError = yamltree.FileError

func schema() *yamltree.Schema {
	text, flag := &yamltree.Schema{Type: yamltree.Text}, &yamltree.Schema{Type: yamltree.Bool}
	entry := &yamltree.Schema{Type: yamltree.MapOf, Required: []string{"hook"}, Fields: map[string]*yamltree.Schema{
		"hook": text, "name": text, "containers": flag,
	}}
	return &yamltree.Schema{Type: yamltree.MapOf, Required: []string{"hooks"}, Fields: map[string]*yamltree.Schema{
		"hooks":  {Type: yamltree.ListOf, Elem: entry},
		"no-gap": flag, "listen": text, "pin": text, "state": text, "debuginfod": flag,
		"debug-dirs": {Type: yamltree.ListOf, Elem: text},
	}}
}

// ParseConfig reads a configuration. All that is wrong with it is in the
// error, each as a *ConfigError with its place; then the Config is nil.
// Relative directories are taken from the file's own.
func ParseConfig(name string, data []byte) (*Config, error) {
	docs, err := yamltree.Parse(data)
	if err != nil {
		if e := (*yamltree.Error)(nil); errors.As(err, &e) {
			return nil, &ConfigError{Path: name, Line: e.Line, Column: e.Column, Reason: e.Reason}
		}
		return nil, &ConfigError{Path: name, Reason: err.Error()}
	}
	if len(docs) == 0 {
		return nil, &ConfigError{Path: name, Reason: "nothing is in it; write hooks: and a list of them"}
	}
	p := parser{name: name}
	if len(docs) > 1 {
		p.fail(docs[1], "a second document; put all hooks into one list")
	}
	for _, x := range schema().Check(docs[0]) {
		p.failed = append(p.failed, &ConfigError{Path: name, Line: x.Line, Column: x.Column, Reason: x.Reason})
	}
	if len(p.failed) == 0 {
		p.config(docs[0])
	}
	if len(p.failed) > 0 {
		return nil, errors.Join(p.failed...)
	}
	return &p.out, nil
}

type parser struct {
	name   string
	out    Config
	failed []error
}

func (p *parser) fail(at *yamltree.Node, format string, args ...any) {
	p.failed = append(p.failed, &ConfigError{Path: p.name, Line: at.Line, Column: at.Column, Reason: fmt.Sprintf(format, args...)})
}

func (p *parser) config(n *yamltree.Node) {
	yes := func(field string) bool { return strings.EqualFold(n.Get(field).String(), "true") }
	p.out = Config{
		Path: p.name, NoGap: yes("no-gap"), Debuginfod: yes("debuginfod"),
		Listen: n.Get("listen").String(), Pin: n.Get("pin").String(), State: n.Get("state").String(),
	}
	if p.out.Listen != "" {
		if _, _, err := net.SplitHostPort(p.out.Listen); err != nil {
			p.fail(n.Get("listen"), "listen: %q is no address; write host:port, as 127.0.0.1:9464", p.out.Listen)
		}
	}
	for _, d := range n.Get("debug-dirs").List() {
		dir := d.String()
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(p.name), dir)
		}
		p.out.DebugDirs = append(p.out.DebugDirs, dir)
	}
	if p.out.Pin != "" && !filepath.IsAbs(p.out.Pin) {
		p.fail(n.Get("pin"), "pin: %q is not absolute; write a directory in a BPF file system, as /sys/fs/bpf/surehook", p.out.Pin)
	}
	if p.out.State != "" && !filepath.IsAbs(p.out.State) {
		p.fail(n.Get("state"), "state: %q is not absolute; write a directory that outlives a restart, as %s", p.out.State, DefaultState)
	}
	list := n.Get("hooks")
	if len(list.List()) == 0 {
		p.fail(list, "hooks: an empty list; there is nothing to watch")
	}
	names := map[string]*yamltree.Node{}
	for _, item := range list.List() {
		h, err := parseHook(item.Get("hook").String())
		if err != nil {
			p.fail(item.Get("hook"), "%v", err)
			continue
		}
		h.Line, h.Column = item.Line, item.Column
		h.Inside = strings.EqualFold(item.Get("containers").String(), "true")
		if name := strings.TrimSpace(item.Get("name").String()); name != "" {
			h.Name = name
		}
		if first := names[h.Name]; first != nil {
			p.fail(item, "%q is there already, in line %d; give one of them another name", h.Name, first.Line)
		}
		names[h.Name] = item
		p.out.Hooks = append(p.out.Hooks, h)
	}
}

// HooksConfig makes a configuration of hooks as a command line has them.
func HooksConfig(texts []string) (*Config, error) {
	c, names := &Config{}, map[string]bool{}
	for _, text := range texts {
		h, err := parseHook(text)
		if err != nil {
			return nil, err
		}
		if names[h.Name] {
			continue
		}
		names[h.Name] = true
		c.Hooks = append(c.Hooks, h)
	}
	return c, nil
}

// parseHook reads one hook and tells what cannot be watched.
func parseHook(text string) (Hook, error) {
	h, err := hook.Parse(strings.TrimSpace(text))
	if err != nil {
		return Hook{}, err
	}
	if !h.Kind.User() {
		return Hook{}, fmt.Errorf("%s: a function of the running kernel does not move; surehook trace attaches it, watch is for files", h)
	}
	return Hook{Hook: h, Name: h.String()}, nil
}
