package vmtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTests(t *testing.T) {
	out := "\x16=== RUN   TestA\n\x16=== RUN   TestA/x\n    a_test.go:3: not\n    a_test.go:4: needs y\n\x16--- SKIP: TestA/x (0.00s)\n" +
		"\x16=== RUN   TestA/y\ntext\x16=== NAME  TestA\n    a_test.go:5: of A\n\x16=== NAME  TestA/y\n    a_test.go:6: bad\n\x16    --- FAIL: TestA/y (0.10s)\n" +
		"\x16--- FAIL: TestA (0.10s)\n\x16=== RUN   TestB\n\x16--- PASS: TestB (0.00s)\n\x16=== RUN   TestC\npanic: x\n\ngoroutine 1\n"
	want := []TestResult{
		{"TestA", Fail, "    a_test.go:5: of A\n"},
		{"TestA/x", Skip, "    a_test.go:3: not\n    a_test.go:4: needs y\n"},
		{"TestA/y", Fail, "text\n    a_test.go:6: bad\n"},
		{"TestB", Pass, ""},
		{"TestC", Fail, "panic: x\ngoroutine 1\n"},
	}
	got := ParseTests([]byte(out))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := got[1].Reason(); r != "needs y" {
		t.Errorf("reason %q", r)
	}
	if r := got[3].Reason(); r != "no reason given" {
		t.Errorf("reason %q", r)
	}
}

// FuzzParseTests: whatever a machine prints, each test has a name and a status,
// and is there once.
func FuzzParseTests(f *testing.F) {
	f.Add([]byte("\x16=== RUN   TestA\nx\n\x16--- SKIP: TestA (0.00s)\n"))
	f.Add([]byte("\x16--- PASS: TestB (0.00s)\n\x16=== NAME  \n\x16=== RUN TestA\n\x16=== RUN TestA\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		seen := map[string]bool{}
		for _, r := range ParseTests(out) {
			if r.Name == "" || r.Status == "" || seen[r.Name] {
				t.Errorf("%+v", r)
			}
			seen[r.Name] = true
		}
	})
}
