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
