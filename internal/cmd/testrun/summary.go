package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// event is one line of "go test -json" (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output and build-fail
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// maxLine bounds one JSON line: test2json splits output at newlines, and a
// verifier log may be one line of 1 MiB.
const maxLine = 16 << 20

// summary is what was seen so far.
type summary struct {
	w       io.Writer
	tests   map[testID]*test
	order   []testID
	builds  map[string][]string // output of the compiler by import path
	broken  int                 // packages that failed outside of any test
	passed  int
	failed  int
	skipped []*test
}

type testID struct{ pkg, name string }

// test is one test or subtest. A test with subtests counts by them.
type test struct {
	testID
	output   []string
	action   string // pass, fail, skip
	children int
	failures int // of its children
}

func newSummary(w io.Writer) *summary {
	return &summary{w: w, tests: map[testID]*test{}, builds: map[string][]string{}}
}

func (s *summary) read(r io.Reader) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxLine)
	for sc.Scan() {
		var e event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			fmt.Fprintln(s.w, sc.Text()) // go itself may write plain text
			continue
		}
		s.add(e)
	}
	return sc.Err()
}

func (s *summary) add(e event) {
	if e.Package == "" {
		if e.Action == "build-output" {
			s.builds[e.ImportPath] = append(s.builds[e.ImportPath], e.Output)
		}
		return
	}
	t := s.test(testID{e.Package, e.Test})
	switch e.Action {
	case "output":
		t.output = append(t.output, e.Output)
	case "pass", "fail", "skip":
		t.action = e.Action
		if e.Test == "" {
			s.pkg(t, e)
		} else if e.Action == "fail" {
			s.parent(t).failures++
		}
	}
}

// test gives the record of a test; the empty name is the package's own.
func (s *summary) test(id testID) *test {
	t, ok := s.tests[id]
	if !ok {
		t = &test{testID: id}
		s.tests[id] = t
		s.order = append(s.order, id)
		if id.name != "" {
			s.parent(t).children++
		}
	}
	return t
}

func (s *summary) parent(t *test) *test {
	name := ""
	if i := strings.LastIndex(t.name, "/"); i >= 0 {
		name = t.name[:i]
	}
	return s.test(testID{t.pkg, name})
}

// pkg closes a package: its line is printed as soon as it is done.
func (s *summary) pkg(t *test, e event) {
	ran := 0
	for _, id := range s.order {
		if id.pkg != t.pkg || id.name == "" {
			continue
		}
		ran++
		s.close(s.tests[id])
	}
	switch {
	case t.action == "fail":
		if t.failures == 0 { // did not build, panicked, or timed out
			s.broken++
			for _, line := range s.builds[e.FailedBuild] {
				fmt.Fprint(s.w, line)
			}
			fmt.Fprint(s.w, strings.Join(t.output, ""))
		}
		fmt.Fprintf(s.w, "FAIL  %s\n", t.pkg)
	case ran > 0:
		fmt.Fprintf(s.w, "ok    %-60s %6.1fs\n", t.pkg, e.Elapsed)
	}
}

// close counts a test, unless its subtests are counted in its place.
func (s *summary) close(t *test) {
	if t.children > 0 && (t.action != "fail" || t.failures > 0) {
		if t.action == "skip" {
			s.skipped = append(s.skipped, t)
		}
		return
	}
	switch t.action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped = append(s.skipped, t)
	default: // fail, or never finished: the test binary died in it
		s.failed++
		fmt.Fprintf(s.w, "--- FAIL %s %s\n", t.pkg, t.name)
		fmt.Fprint(s.w, strings.Join(t.output, ""))
	}
}

// logLine is how testing prints a log message: "    file_test.go:12: text".
var logLine = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: (.*)`)

// reason is the text given to Skip: the last message, but not the record of its
// run that testscript adds after it.
func (t *test) reason() string {
	for i := len(t.output) - 1; i >= 0; i-- {
		if m := logLine.FindStringSubmatch(t.output[i]); m != nil && !strings.HasPrefix(m[1], "WORK=") {
			return strings.TrimSpace(m[1])
		}
	}
	return "no reason given"
}
