package debuginfod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server answers with a handler and counts the requests.
func server(t testing.TB, h http.HandlerFunc) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func sends(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/buildid/"+testID+"/debuginfo" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.Write(b)
	}
}

func fails(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", code) }
}

// files lists what is in the cache, to see that nothing half done stays.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFetch(t *testing.T) {
	good := debugFile(t, testID, 1<<20)
	url, asked := server(t, sends(good))
	dir := t.TempDir()
	var seen Progress
	c := New(Options{URLs: []string{url}, Dir: dir, Progress: func(p Progress) { seen = p }})
	for range 2 {
		f, err := c.Fetch(t.Context(), strings.ToUpper(testID))
		if err != nil {
			t.Fatal(err)
		}
		if f.BuildID() != testID || !f.HasDWARF() || f.Path() != filepath.Join(dir, testID, "debuginfo") {
			t.Errorf("%s has build id %s", f.Path(), f.BuildID())
		}
		f.Close()
	}
	if asked.Load() != 1 {
		t.Errorf("%d requests", asked.Load())
	}
	if want := (Progress{url + "/buildid/" + testID + "/debuginfo", int64(len(good)), int64(len(good)), true}); seen != want {
		t.Errorf("progress %+v", seen)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the cache holds %v", got)
	}
	if info, err := os.Stat(filepath.Join(dir, testID, "debuginfo")); err != nil || info.Mode().Perm() != 0o400 {
		t.Error(info, err)
	}
}

// TestNextServer: a server that fails does not keep from the next.
func TestNextServer(t *testing.T) {
	good, _ := server(t, sends(debugFile(t, testID, 10)))
	wrong, _ := server(t, sends(debugFile(t, "ffff", 10)))
	down, _ := server(t, fails(500))
	absent, _ := server(t, fails(404))
	for _, urls := range [][]string{{down, good}, {absent, good}, {wrong, good}, {good + "/", down}, {good + "/buildid", down},
		{"ftp://example.org", good}, {"http://127.0.0.1:1", good}} {
		f, err := New(Options{URLs: urls, Dir: t.TempDir()}).Fetch(t.Context(), testID)
		if err != nil {
			t.Errorf("%v: %v", urls, err)
			continue
		}
		f.Close()
	}
}

func TestHostileServers(t *testing.T) {
	good := debugFile(t, testID, 1<<20)
	endless := func(w http.ResponseWriter, r *http.Request) {
		for _, err := w.Write(good); err == nil; _, err = w.Write(good) {
		}
	}
	silent := func(w http.ResponseWriter, r *http.Request) {
		w.Write(good[:100])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	trickle := func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(time.Millisecond) // a quick machine sends the whole file otherwise
		defer tick.Stop()
		for i := 0; r.Context().Err() == nil; i++ {
			w.Write(good[i : i+1])
			w.(http.Flusher).Flush()
			<-tick.C
		}
	}
	loop := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		is     error
		text   string
	}{
		{"404", fails(404), fs.ErrNotExist, "404 Not Found; install the package"},
		{"500", fails(500), nil, "500 Internal Server Error: the server cannot answer; try again later"},
		{"403", fails(403), nil, "403 Forbidden"},
		{"wrong build id", sends(debugFile(t, "ffff", 10)), ErrWrongID, `another build id: "ffff"`},
		{"text", sends([]byte("<html>")), nil, "ELF header at file offset 0x0: not an ELF file"},
		{"nothing", sends(nil), nil, "the file is empty"},
		{"truncated", sends(good[:len(good)/2]), nil, "section headers at file offset"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:1000])
		}, io.ErrUnexpectedEOF, "200 OK"},
		{"announced too large", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(3<<20))
			w.Write(good)
		}, ErrTooLarge, "3145728 bytes, 2097152 allowed"},
		{"endless", endless, ErrTooLarge, "2097152 bytes allowed"},
		{"silent", silent, ErrStalled, "100 bytes in"},
		{"trickle", trickle, ErrStalled, "bytes in"},
		{"redirects for ever", loop, nil, "more than 5 redirects"},
		{"redirect to a file", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, nil, "unsupported protocol scheme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := server(t, tt.handle)
			dir := t.TempDir()
			c := New(Options{URLs: []string{url}, Dir: dir, MaxSize: 2 << 20, Stall: 300 * time.Millisecond})
			f, err := c.Fetch(t.Context(), testID)
			var typed *Error
			if f != nil || !errors.As(err, &typed) || typed.BuildID != testID || !strings.Contains(err.Error(), url+"/buildid/") ||
				!strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatal(err)
			}
			if absent := errors.Is(err, fs.ErrNotExist); absent != (tt.name == "404") || absent != (len(files(t, dir)) == 1) {
				t.Errorf("absent %v, the cache holds %v", absent, files(t, dir))
			}
		})
	}
}

// TestRedirect: a redirect is followed, but none that gives up encryption.
func TestRedirect(t *testing.T) {
	good, _ := server(t, sends(debugFile(t, testID, 10)))
	to := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, good+r.URL.Path, http.StatusMovedPermanently)
	}
	plain, _ := server(t, to)
	f, err := New(Options{URLs: []string{plain}, Dir: t.TempDir()}).Fetch(t.Context(), testID)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(to))
	t.Cleanup(secure.Close)
	c := New(Options{URLs: []string{secure.URL}, Dir: t.TempDir()})
	c.http.Transport = secure.Client().Transport
	if _, err := c.Fetch(t.Context(), testID); err == nil || !strings.Contains(err.Error(), "it redirects from https to http://") {
		t.Error(err)
	}
}

// TestMiss: that no server has a file is remembered, and forgotten.
func TestMiss(t *testing.T) {
	url, asked := server(t, fails(404))
	dir := t.TempDir()
	c := New(Options{URLs: []string{url}, Dir: dir})
	path := filepath.Join(dir, testID, "debuginfo")
	for want, change := range []func(){nil, nil, func() {
		old := time.Now().Add(-2 * missTime)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}, nil} {
		if change != nil {
			change()
		}
		if _, err := c.Fetch(t.Context(), testID); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if n := asked.Load(); n != [...]int32{1, 1, 2, 2}[want] {
			t.Errorf("step %d: %d requests", want, n)
		}
	}
	_, err := c.Fetch(t.Context(), testID)
	if info, statErr := os.Stat(path); statErr != nil || info.Size() != 0 || !strings.Contains(err.Error(), "remove "+path) {
		t.Error(err, statErr)
	}
	// A server that fails is asked again.
	url, asked = server(t, fails(500))
	c = New(Options{URLs: []string{url}, Dir: t.TempDir()})
	for range 2 {
		if _, err := c.Fetch(t.Context(), testID); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("%d requests", asked.Load())
	}
}

// TestTornCache: what another program left half written is replaced.
func TestTornCache(t *testing.T) {
	good := debugFile(t, testID, 1000)
	url, _ := server(t, sends(good))
	for _, left := range [][]byte{good[:500], debugFile(t, "ffff", 10), []byte("text")} {
		dir := t.TempDir()
		path := filepath.Join(dir, testID, "debuginfo")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, left, 0o400); err != nil {
			t.Fatal(err)
		}
		f, err := New(Options{URLs: []string{url}, Dir: dir}).Fetch(t.Context(), testID)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

// TestConcurrent: one client downloads once, several clients (as several
// processes) do not disturb each other.
func TestConcurrent(t *testing.T) {
	good := debugFile(t, testID, 1<<20)
	gate := make(chan struct{})
	url, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		<-gate
		sends(good)(w, r)
	})
	dir := t.TempDir()
	clients := []*Client{New(Options{URLs: []string{url}, Dir: dir}), New(Options{URLs: []string{url}, Dir: dir})}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			f, err := clients[i%2].Fetch(context.Background(), testID)
			if err != nil {
				t.Error(err)
				return
			}
			f.Close()
		})
	}
	close(gate)
	wg.Wait()
	if n := asked.Load(); n > 2 {
		t.Errorf("%d requests", n)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the cache holds %v", got)
	}
}

func TestRefusals(t *testing.T) {
	for _, id := range []string{"", "xy", "abc", "../..", strings.Repeat("ab", maxID+1)} {
		if _, err := New(Options{Dir: t.TempDir()}).Fetch(t.Context(), id); err == nil || !strings.Contains(err.Error(), "is no build id") {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := New(Options{Dir: t.TempDir()}).Fetch(t.Context(), testID); !errors.Is(err, ErrNoServer) {
		t.Error(err)
	}
	if _, err := New(Options{URLs: []string{"http://127.0.0.1:1"}}).Fetch(t.Context(), testID); err == nil || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Error(err)
	}
	dir := t.TempDir()
	_, err := New(Options{URLs: []string{"http://me:secret@127.0.0.1:1/x", "http://me:secret@ [", "ftp://me:secret@host"}, Dir: dir}).Fetch(t.Context(), testID)
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "127.0.0.1:1/x/buildid/"+testID) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(Options{URLs: []string{"http://127.0.0.1:1"}, Dir: dir}).Fetch(ctx, testID); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := os.Mkdir(filepath.Join(dir, testID, "debuginfo"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: dir}).Fetch(t.Context(), testID); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Error(err)
	}
}

func TestFromEnv(t *testing.T) {
	home := t.TempDir()
	env := map[string]string{"HOME": home, "DEBUGINFOD_URLS": " https://a.org/  ima:enforcing http://b.org ", "DEBUGINFOD_TIMEOUT": "7", "DEBUGINFOD_MAXSIZE": "1000"}
	get := func(k string) string { return env[k] }
	o := FromEnv(get)
	if len(o.URLs) != 2 || o.URLs[1] != "http://b.org" || o.Stall != 7*time.Second || o.MaxSize != 1000 {
		t.Errorf("%+v", o)
	}
	want := func(dir string) {
		t.Helper()
		if got := FromEnv(get).Dir; got != dir {
			t.Errorf("%s, want %s", got, dir)
		}
	}
	want(filepath.Join(home, ".cache/debuginfod_client"))
	env["XDG_CACHE_HOME"] = "/cache"
	want("/cache/debuginfod_client")
	old := filepath.Join(home, ".debuginfod_client_cache")
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	want(old)
	env["DEBUGINFOD_CACHE_PATH"] = "/mine"
	want("/mine")
	clear(env)
	want("")
	env["DEBUGINFOD_TIMEOUT"] = "soon"
	if o := FromEnv(get); len(o.URLs) != 0 || o.Stall != 0 {
		t.Errorf("%+v", o)
	}
}
