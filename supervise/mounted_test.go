//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/surehook/surehook/supervise"
)

// gapOf is a gap at a path that is no longer than the test, though the file is old.
func gapOf(path string, begun time.Time) func(supervise.Event) bool {
	return func(e supervise.Event) bool {
		g, ok := e.(supervise.Gap)
		return ok && g.Path == path && g.From.After(begun)
	}
}

// A file that is mounted over one is probed, and what was missed until then told.
func TestMountedOver(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		other := t.TempDir() + "/other.so"
		l.put(other, 1, 2)
		l.add(l.path())
		l.once(l.path())
		begun, n := time.Now(), len(l.all())
		l.ok(syscall.Mount(other, l.path(), "", syscall.MS_BIND, ""))
		defer syscall.Unmount(l.path(), syscall.MNT_DETACH)
		l.awaitFrom(n, "a gap", gapOf(l.path(), begun))
		l.once(l.path())
		n = len(l.all())
		l.ok(syscall.Unmount(l.path(), 0))
		l.awaitFrom(n, "the first again", isAttached)
		l.once(l.path())
		l.exact()
	})
}

// So it is in containers, which nobody tells of.
func TestContainersMountedOver(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		image := t.TempDir()
		l.copy(l.library(0, 1), image+"/libx.so")
		other := t.TempDir() + "/other.so"
		l.put(other, 1, 2)
		one := l.run(image, "one")
		l.addInside()
		one.once()
		begun, n := time.Now(), len(l.all())
		if out, err := one.enter("mount", "--bind", other, l.path()).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		l.awaitFrom(n, "a gap", gapOf(one.path(), begun.Add(-2*time.Second)))
		one.once()
		l.exact()
		l.containers(1, 2)
	})
}
