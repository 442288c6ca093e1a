package debuginfod

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/target"
)

// need skips the test where a program is missing.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(p + " is not installed")
		}
	}
}

func shell(t *testing.T, dir string, commands ...string) {
	t.Helper()
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", c)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
	}
}

// debuginfod starts elfutils' server on the loopback interface for the files
// in dir, and waits until it has read those of the build ids.
func debuginfod(t *testing.T, dir string, ids ...string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	cmd := exec.CommandContext(t.Context(), "debuginfod", "-p", port, "-d", ":memory:", "-F", dir)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBUGINFOD_URLS=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	url = "http://127.0.0.1:" + port
	// It scans in the background, and says nowhere that it is done.
	tick, late := time.NewTicker(50*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for _, id := range ids {
		for !served(url + "/buildid/" + id + "/debuginfo") {
			select {
			case <-tick.C:
			case <-late:
				t.Fatal("debuginfod does not serve ", id)
			}
		}
	}
	return url
}

func served(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// buildID is that of a file.
func buildID(t *testing.T, path ...string) string {
	t.Helper()
	f, err := elfbin.Open(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.BuildID()
}

const program = `volatile int sink;
int step(int v)
{
	if (v & 4)
		sink = v;
	return v * 7 + sink;
}
int main(int argc, char **argv)
{
	for (int i = 0; i < argc * 8; i++)
		sink = step(i + EXTRA);
	return 0;
}
`

// TestRealServer: a stripped program whose debug file only elfutils' own
// server has; the client of elfutils then finds it in the cache that we filled.
func TestRealServer(t *testing.T) {
	need(t, "gcc", "objcopy", "debuginfod", "debuginfod-find")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.c"), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	shell(t, dir, "mkdir served", "gcc -O2 -g -DEXTRA=0 -o prog a.c", "objcopy --only-keep-debug prog served/prog.debug", "strip prog")
	url, cache := debuginfod(t, filepath.Join(dir, "served"), buildID(t, dir, "prog")), filepath.Join(dir, "cache")
	client := New(Options{URLs: []string{url}, Dir: cache})
	a := target.NewAnalyzer(target.Options{Root: os.DirFS("/"), Fetch: func(id string) (*elfbin.File, error) { return client.Fetch(t.Context(), id) }})
	defer a.Close()
	r, err := a.Resolve("uprobe:" + filepath.Join(dir, "prog") + ":step")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Results[0]; got.Notes.Copies != 1 || got.Plan.Verdict != "complete" {
		t.Errorf("%d copies, %v; %v", got.Notes.Copies, got.Plan, r.Binary.Search())
	}
	id := r.Binary.File().BuildID()
	find := exec.CommandContext(t.Context(), "debuginfod-find", "debuginfo", id)
	find.Env = append(os.Environ(), "DEBUGINFOD_URLS=http://127.0.0.1:1", "DEBUGINFOD_CACHE_PATH="+cache)
	if out, err := find.Output(); err != nil || strings.TrimSpace(string(out)) != filepath.Join(cache, id, "debuginfo") {
		t.Errorf("debuginfod-find: %s, %v", out, err)
	}
	if _, err := client.Fetch(t.Context(), testID); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
	// elfutils' client believes what we remember of it.
	find = exec.CommandContext(t.Context(), "debuginfod-find", "debuginfo", testID)
	find.Env = append(os.Environ(), "DEBUGINFOD_URLS=http://127.0.0.1:1", "DEBUGINFOD_CACHE_PATH="+cache)
	if out, err := find.CombinedOutput(); err == nil || !strings.Contains(string(out), "No such file or directory") {
		t.Errorf("debuginfod-find: %s, %v", out, err)
	}
}

// TestRealServerAlternate: of a program processed by dwz both the debug file
// and the alternate file that it shares come from the server.
func TestRealServerAlternate(t *testing.T) {
	need(t, "gcc", "objcopy", "dwz", "debuginfod")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.c"), []byte(program+"struct long_name_of_a_type { int first_member, second_member; } shared_variable;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	shell(t, dir, "mkdir served", "gcc -O2 -g -DEXTRA=0 -o prog a.c", "gcc -O2 -g -DEXTRA=1 -o prog2 a.c", "cp prog keep",
		"objcopy --only-keep-debug prog served/prog.debug", "objcopy --only-keep-debug prog2 served/prog2.debug",
		"dwz -m served/common.debug -M /nowhere/.dwz/common.debug served/prog.debug served/prog2.debug", "strip prog")
	debug, err := elfbin.Open(filepath.Join(dir, "served/prog.debug"))
	if err != nil {
		t.Fatal(err)
	}
	_, alt, ok := debug.AltLink()
	debug.Close()
	if !ok {
		t.Skip("dwz found nothing to share")
	}
	cache := filepath.Join(dir, "cache")
	client := New(Options{URLs: []string{debuginfod(t, filepath.Join(dir, "served"), buildID(t, dir, "prog"), alt)}, Dir: cache})
	a := target.NewAnalyzer(target.Options{Root: os.DirFS("/"), Fetch: func(id string) (*elfbin.File, error) { return client.Fetch(t.Context(), id) }})
	defer a.Close()
	r, err := a.Resolve("uprobe:" + filepath.Join(dir, "prog") + ":step")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Results[0]; got.Notes.Copies != 1 || got.Plan.Verdict != "complete" {
		t.Errorf("%d copies, %v; %v", got.Notes.Copies, got.Plan, r.Binary.Search())
	}
	if _, err := os.Stat(filepath.Join(cache, alt, "debuginfo")); err != nil {
		t.Error(err)
	}
}
