//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

// What containers share is counted once, however their layers are named.
func TestContainersShare(t *testing.T) {
	// $1 has the layers, which both containers are made of; $2 is where the library is.
	const merge = `mount --make-rprivate / && mount -t overlay -o "lowerdir=$3,upperdir=$1/$4/upper,workdir=$1/$4/work" none "$2" && echo ready && exec sleep 1000`
	for name, how := range map[string]struct {
		lower  string
		hidden bool
	}{
		"relative": {"image", false},
		"hidden":   {"image", true},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, noGap bool) {
				l := newLab(t, supervise.Options{NoGap: noGap})
				layers := t.TempDir()
				host := l.begin(exec.Command("sh", "-c", "mount --make-rprivate / && echo ready && exec sleep 1000"), syscall.CLONE_NEWNS)
				if how.hidden { // from us
					if out, err := host.enter("mount", "-t", "tmpfs", "none", layers).CombinedOutput(); err != nil {
						t.Skipf("%v: %s", err, out)
					}
				}
				seen := fmt.Sprintf("/proc/%d/root%s", host.pid, layers)
				for _, d := range []string{"image", "one/upper", "one/work", "two/upper", "two/work"} {
					l.ok(os.MkdirAll(filepath.Join(seen, d), 0o755))
				}
				l.copy(l.library(0, 1), seen+"/image/libx.so")
				run := func(name string) *contained {
					args := []string{"unshare", "-m", "--wd=" + layers, "sh", "-c", merge, "sh", layers, l.dir, how.lower, name}
					return l.begin(host.enter(args...), 0)
				}
				one, two := run("one"), run("two")
				l.addInside()
				one.once()
				two.once()
				l.exact()
				l.containers(2, 1)
				told := slices.ContainsFunc(l.all(), func(e supervise.Event) bool {
					f, ok := e.(supervise.Finding)
					return ok && f.Kind == supervise.HiddenLayer
				})
				if told != how.hidden {
					t.Errorf("a hidden layer is told: %t, want %t", told, how.hidden)
				}
			})
		})
	}
}

// A file is known for its layer's also where the process has ended that its
// container was found by.
func TestContainersFirstEnds(t *testing.T) {
	l := newLab(t, supervise.Options{NoGap: true})
	image := t.TempDir()
	l.copy(l.library(0, 1), image+"/libx.so")
	one := l.run(image, "one")
	l.addInside()
	other := l.begin(one.enter("sh", "-c", "echo ready && exec sleep 1000"), 0)
	n := len(l.all())
	one.end()
	l.put(other.path(), 1, 2)
	other.once()
	l.awaitFrom(n, "through another process", other.attached)
	other.once()
	l.exact()
	l.containers(1, 2)
}

// Of two files of one name in a container each is its own hook's, also where the
// container's root is below that of its mounts.
func TestContainersNamesakes(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		root, other := t.TempDir(), t.TempDir()
		l.copy(l.library(0, 1), l.path())
		script := `mount --make-rprivate / && mount --rbind / "$1" && for d in "$2" "$3"; do
			mount -t tmpfs none "$1$d" && cp "$2/libx.so" "$1$d/" || exit; done; exec chroot "$1" sh -c "echo ready; exec sleep 1000"`
		c := l.begin(exec.Command("sh", "-c", script, "sh", root, l.dir, other), syscall.CLONE_NEWNS)
		l.addInside()
		h, err := hook.Parse("uprobe:" + other + "/libx.so:" + soak.Functions()[0])
		l.ok(err)
		_, err = l.s.AddInContainers(h)
		l.ok(err)
		l.change(noGap, c.attached, func() { l.put(c.path(), 1, 2) })
		if out, err := c.enter("-r", l.kit.Caller, l.path(), l.truth.Path, "once", "2").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		l.exact()
		st, err := l.s.State()
		l.ok(err)
		if got := st.Hooks[len(soak.Functions())].Executions; got != 0 {
			t.Errorf("%d executions of the other file, which nobody ran", got)
		}
	})
}

// A container can unmount what is probed in it, whatever file system that is.
func TestContainersUnmount(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		c := &contained{l: l, pid: l.elsewhere(l.library(0, 1))}
		l.addInside()
		c.once()
		l.change(noGap, c.attached, func() { l.put(c.path(), 1, 2) })
		c.once()
		l.exact()
		if out, err := c.enter("umount", l.dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		for _, e := range l.all() {
			if f, ok := e.(supervise.Finding); ok && f.Kind == supervise.MountPinned {
				t.Errorf("a finding: %v", f)
			}
		}
	})
}
