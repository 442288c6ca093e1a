package debuginfod

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// answer is a server that gives one answer, without a network.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	length := int64(-1)
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status: strconv.Itoa(a.code), StatusCode: a.code, Header: a.header, Request: r, ContentLength: length,
		Body: io.NopCloser(bytes.NewReader(a.body)), ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// FuzzFetch: whatever a server answers and whatever lies in the cache, there
// is a file of the right build id or an error, and nothing half done stays.
func FuzzFetch(f *testing.F) {
	good := debugFile(f, testID, 10)
	f.Add(200, "", good, []byte(nil), false)
	f.Add(404, "x", []byte("no"), good[:50], true)
	f.Add(302, "http://127.0.0.1:1/", []byte(nil), []byte(nil), true)
	f.Add(200, "18446744073709551615", good, debugFile(f, "ffff", 3), true)
	f.Fuzz(func(t *testing.T, code int, header string, body, cached []byte, has bool) {
		dir := t.TempDir()
		path := filepath.Join(dir, testID, "debuginfo")
		if has {
			if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, cached, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		c := New(Options{URLs: []string{"http://127.0.0.1:1"}, Dir: dir, MaxSize: 1 << 16, Stall: time.Minute})
		c.http.Transport = answer{code, http.Header{"Content-Length": {header}, "Location": {header}, "X-Debuginfod-Size": {header}}, body}
		file, err := c.Fetch(t.Context(), testID)
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v and error %v", file, err)
		}
		if err == nil {
			if file.BuildID() != testID {
				t.Fatalf("build id %s", file.BuildID())
			}
			file.Close()
		}
		for _, name := range files(t, dir) {
			if name != testID+"/debuginfo" {
				t.Fatalf("%s stays in the cache", name)
			}
		}
		if info, statErr := os.Stat(path); errors.Is(err, fs.ErrNotExist) && (statErr != nil || info.Size() > 0) && !has {
			t.Fatalf("no note of a miss: %v", statErr)
		}
	})
}
