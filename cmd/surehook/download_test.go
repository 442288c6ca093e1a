package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/surehook/surehook/debuginfod"
)

// surehook runs the program in this process.
func surehook(args ...string) (code int, out, errText string) {
	var o, e bytes.Buffer
	code = run(args, streams{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

// TestDebuginfodIsAskedForByFlag: no server is asked without the flag, and
// with it what it answered is said.
func TestDebuginfodIsAskedForByFlag(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("needs gcc")
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "a.c"), filepath.Join(dir, "prog")
	if err := os.WriteFile(source, []byte("int f(int v) { return v; }\nint main(void) { return f(0); }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-O1", "-fno-inline", "-Wl,--build-id", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	defer s.Close()
	t.Setenv("DEBUGINFOD_URLS", s.URL)
	t.Setenv("DEBUGINFOD_CACHE_PATH", filepath.Join(dir, "cache"))
	hook := "uprobe:" + program + ":f"
	for _, command := range []string{"sites", "check"} {
		if code, out, _ := surehook(command, hook); code == exitUsage || asked.Load() != 0 {
			t.Errorf("%s: exit %d, %d requests\n%s", command, code, asked.Load(), out)
		}
	}
	code, out, errText := surehook("sites", "--format", "json", "--debuginfod", hook)
	if code != 0 || errText != "" || asked.Load() != 1 || !strings.Contains(out, s.URL+"/buildid/") || !strings.Contains(out, "404 Not Found") {
		t.Errorf("exit %d, %d requests, %s\n%s", code, asked.Load(), errText, out)
	}
	if code, _, errText := surehook("sites", "--debuginfod", hook+"g"); code != exitUsage || !strings.Contains(errText, "no server had it within the last") {
		t.Errorf("exit %d, %s", code, errText)
	}
	t.Setenv("DEBUGINFOD_URLS", "")
	if code, _, errText := surehook("sites", "--debuginfod", hook); code != exitUsage || !strings.Contains(errText, "set DEBUGINFOD_URLS") {
		t.Errorf("exit %d, %s", code, errText)
	}
}

func TestProgressLine(t *testing.T) {
	var b bytes.Buffer
	printProgress(&b, debuginfod.Progress{URL: "http://a", Bytes: 1500000, Total: -1})
	printProgress(&b, debuginfod.Progress{URL: "http://a", Bytes: 2500000, Total: 4000000})
	printProgress(&b, debuginfod.Progress{URL: "http://a", Done: true})
	if want := "\r\x1b[K1.5 MB of http://a\r\x1b[K2.5 of 4.0 MB of http://a\r\x1b[K"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}
