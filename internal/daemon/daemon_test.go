package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/memory"
	"github.com/surehook/surehook/supervise"
)

// fake is a supervisor that attaches nothing.
type fake struct {
	mu    sync.Mutex
	next  supervise.ID
	hooks map[supervise.ID]hook.Hook
	calls []string
	bad   string // the function whose hook cannot be added
}

func (f *fake) Add(h hook.Hook) (supervise.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.Function == f.bad {
		return 0, errors.New("refused")
	}
	f.next++
	f.hooks[f.next] = h
	f.calls = append(f.calls, "add "+h.Function)
	return f.next, nil
}

func (f *fake) AddInContainers(h hook.Hook) (supervise.ID, error) {
	id, err := f.Add(h)
	if err == nil {
		f.calls[len(f.calls)-1] += " in containers"
	}
	return id, err
}

func (f *fake) Remove(id supervise.ID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "remove "+f.hooks[id].Function)
	delete(f.hooks, id)
	return nil
}

func (f *fake) State() (supervise.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s supervise.State
	for id, h := range f.hooks {
		s.Hooks = append(s.Hooks, supervise.Hook{ID: id, Hook: h, Executions: uint64(id) * 10, Builds: []supervise.Build{
			{Number: 1, BuildID: "aa", Sites: 2, Current: true}, {Number: 2, BuildID: "aa", Sites: 2, Failed: 1},
		}})
	}
	return s, nil
}

func (f *fake) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (f *fake) Close() error                  { return nil }

func config(t *testing.T, texts ...string) *Config {
	t.Helper()
	c, err := HooksConfig(texts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// manager is a service manager's socket: what the daemon tells, in order.
type manager struct {
	*net.UnixConn
	path string
}

func newManager(t *testing.T) manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return manager{l, path}
}

// next waits for a message that begins with the text.
func (m manager) next(t *testing.T, begin string) string {
	t.Helper()
	b := make([]byte, 1000)
	for {
		n, err := m.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b[:n]); strings.HasPrefix(text, begin) {
			return text
		}
	}
}

func TestReload(t *testing.T) {
	f := &fake{hooks: map[supervise.ID]hook.Hook{}, bad: "bad"}
	m := newManager(t)
	changed := make(chan struct{})
	var next *Config
	var nextErr error
	ctx, cancel := context.WithCancel(t.Context())
	opts := Options{
		Config: config(t, "uprobe:/a:one", "uprobe:/a:two"), Changed: changed,
		Reload:   func() (*Config, error) { return next, nextErr },
		Find:     func(target string) (string, error) { return target, nil },
		Notifier: NewNotifier(environment(map[string]string{"NOTIFY_SOCKET": m.path})),
	}
	var last Status
	done := make(chan error, 1)
	go func() {
		var err error
		last, err = run(ctx, opts, func(supervise.Options) (supervisor, error) { return f, nil })
		done <- err
	}()
	if got := m.next(t, "READY"); got != "READY=1\nSTATUS=2 hooks attached" {
		t.Errorf("first %q", got)
	}
	reload := func(c *Config, err error) {
		next, nextErr = c, err
		changed <- struct{}{}
		m.next(t, "RELOADING=1\nMONOTONIC_USEC=")
		m.next(t, "READY=1")
	}
	reload(config(t, "uprobe:/a:two", "uprobe:/a:three"), nil)
	reload(nil, &ConfigError{Path: "hooks.yaml", Line: 3, Column: 7, Reason: "unknown field"})
	reload(config(t, "uprobe:/a:four", "uprobe:/a:bad"), nil)
	inside := config(t, "uprobe:/a:two", "uprobe:/a:three")
	inside.Hooks[0].Inside = true
	reload(inside, nil)
	restart := config(t, "uprobe:/a:four")
	restart.NoGap = true
	reload(restart, nil)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	m.next(t, "STOPPING=1")
	want := []string{"add one", "add two", "add three", "remove one", "add four", "remove four", "add two in containers", "remove two"}
	if d := cmp.Diff(want, f.calls); d != "" {
		t.Error(d)
	}
	var names []string
	for _, h := range last.Hooks {
		names = append(names, fmt.Sprintf("%s %d", h.Name, h.Executions))
	}
	if !slices.Equal(names, []string{"uprobe:/a:two 50", "uprobe:/a:three 30"}) {
		t.Errorf("at the end: %v", names)
	}
	if r := last.Reloads; r.Good != 3 || r.Bad != 3 || !strings.Contains(r.Failed, "no-gap has changed, which takes a restart") {
		t.Errorf("reloads %+v", r)
	}
	if b := last.Hooks[0].Builds; len(b) != 1 || b[0].Attached != 1 || b[0].Planned != 2 || b[0].Retired {
		t.Errorf("two files with one build are %+v", b)
	}
}

// A daemon runs for long: garbage must be collected as usual, though commands put it off.
func TestCollects(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	limit := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(limit)
	memory.CollectLate()
	ctx, cancel := context.WithCancel(t.Context())
	m := newManager(t)
	done := make(chan error, 1)
	go func() {
		_, err := run(ctx, Options{
			Config: config(t, "uprobe:/a:one"), Find: func(target string) (string, error) { return target, nil },
			Notifier: NewNotifier(environment(map[string]string{"NOTIFY_SOCKET": m.path})),
		}, func(supervise.Options) (supervisor, error) { return &fake{hooks: map[supervise.ID]hook.Hook{}}, nil })
		done <- err
	}()
	m.next(t, "READY")
	for end := time.Now().Add(10 * time.Second); debug.SetMemoryLimit(-1) != math.MaxInt64; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the first collection is put off")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestFeatureThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		refuse func(supervise.Options) error
		want   []Feature
		err    error
	}{
		"fanotify": {
			refuse: func(o supervise.Options) error {
				if o.NoGap {
					return errors.New("no fanotify here")
				}
				return nil
			},
			want: []Feature{{Name: "no-gap", Why: "no fanotify here"}, {Name: "pin", On: true}},
		},
		"bpffs": {
			refuse: func(o supervise.Options) error {
				if o.Keep != nil {
					return errors.New("no BPF file system")
				}
				return nil
			},
			want: []Feature{{Name: "no-gap", On: true}, {Name: "pin", Why: "no BPF file system"}},
		},
		"both": {
			refuse: func(o supervise.Options) error {
				if o.Keep != nil || o.NoGap {
					return errors.New("neither")
				}
				return nil
			},
			want: []Feature{{Name: "no-gap", Why: "neither"}, {Name: "pin", Why: "neither"}},
		},
		"everything": {refuse: func(supervise.Options) error { return attach.ErrNotPermitted }, err: attach.ErrNotPermitted},
		"nothing":    {refuse: func(supervise.Options) error { return nil }, want: []Feature{{Name: "no-gap", On: true}, {Name: "pin", On: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			c1 := config(t, "uprobe:/a:one")
			c1.NoGap, c1.Pin = true, "/sys/fs/bpf/surehook"
			s, err := run(ctx, Options{Config: c1, Find: func(p string) (string, error) { return p, nil }}, func(o supervise.Options) (supervisor, error) {
				if err := c.refuse(o); err != nil {
					return nil, err
				}
				return &fake{hooks: map[supervise.ID]hook.Hook{}}, nil
			})
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			var got []Feature
			for _, f := range s.Features {
				if f.Name == "no-gap" || f.Name == "pin" {
					got = append(got, f)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestHookThatIsNowhere(t *testing.T) {
	c, err := ParseConfig("hooks.yaml", []byte("hooks:\n- hook: uprobe:libnowhere:f\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(t.Context(), Options{Config: c, Find: func(string) (string, error) { return "", os.ErrNotExist }},
		func(supervise.Options) (supervisor, error) { return &fake{hooks: map[supervise.ID]hook.Hook{}}, nil })
	const want = "hooks.yaml:2:3: uprobe:libnowhere:f: file does not exist"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
