package main

import (
	"strings"
	"testing"
)

// lines makes the events of one package's tests from a short form:
// "pass a/TestX", "skip a/TestY reason", "fail a", ...
func events(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		f := strings.SplitN(l, " ", 3)
		pkg, test, _ := strings.Cut(f[1], ":")
		field := `"Package":"` + pkg + `"`
		if test != "" {
			field += `,"Test":"` + test + `"`
		}
		if len(f) == 3 {
			b.WriteString(`{"Action":"output",` + field + `,"Output":"    x_test.go:1: ` + f[2] + `\n"}` + "\n")
		}
		b.WriteString(`{"Action":"` + f[0] + `",` + field + "}\n")
	}
	return b.String()
}

type summaryTest struct {
	name string
	in   string
	code int
	want []string // parts of the output
}

func summaryTests() []summaryTest {
	return []summaryTest{
		{
			name: "all pass",
			in:   events("pass a:TestX", "pass a:TestY", "pass a"),
			want: []string{"ok    a", "\n2 passed, 0 failed, 0 skipped\n"},
		},
		{
			name: "subtests count in place of their parent",
			in:   events("run a:TestX", "pass a:TestX/1", "skip a:TestX/2 needs root", "pass a:TestX", "pass a"),
			want: []string{"needs root\n       1  a            TestX/2\n", "1 passed, 0 failed, 1 skipped"},
		},
		{
			name: "failure with its output",
			in:   events("pass a:TestX", "fail a:TestY got 1, want 2", "fail a"),
			code: 1,
			want: []string{"--- FAIL a TestY\n    x_test.go:1: got 1, want 2\n", "FAIL  a", "1 passed, 1 failed, 0 skipped"},
		},
		{
			name: "a failing subtest is one failure",
			in:   events("run a:TestX", "fail a:TestX/1 bad", "fail a:TestX", "fail a"),
			code: 1,
			want: []string{"0 passed, 1 failed, 0 skipped"},
		},
		{
			name: "a parent that fails by itself",
			in:   events("run a:TestX", "pass a:TestX/1", "fail a:TestX late", "fail a"),
			code: 1,
			want: []string{"late", "1 passed, 1 failed, 0 skipped"},
		},
		{
			name: "test binary died",
			in:   events("run a:TestX", "fail a"),
			code: 1,
			want: []string{"0 passed, 2 failed, 0 skipped"},
		},
		{
			name: "build failure",
			in: `{"Action":"build-output","ImportPath":"a","Output":"a.go:1: undefined: x\n"}` + "\n" +
				`{"Action":"build-fail","ImportPath":"a"}` + "\n" +
				`{"Action":"fail","Package":"a","FailedBuild":"a"}` + "\n",
			code: 1,
			want: []string{"a.go:1: undefined: x\nFAIL  a", "0 passed, 1 failed, 0 skipped"},
		},
		{
			name: "nothing ran",
			in:   events("skip a"),
			code: 1,
			want: []string{"0 passed, 0 failed, 0 skipped\nno test ran"},
		},
		{
			name: "only skips",
			in:   events("skip a:TestX needs gcc", "pass a"),
			code: 1,
			want: []string{"needs gcc", "0 passed, 0 failed, 1 skipped"},
		},
		{
			name: "text between the events",
			in:   "go: downloading x\n" + events("pass a:TestX", "pass a"),
			want: []string{"go: downloading x\n", "1 passed"},
		},
	}
}

func TestSummary(t *testing.T) {
	for _, test := range summaryTests() {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			s := newSummary(&out)
			if err := s.read(strings.NewReader(test.in)); err != nil {
				t.Fatal(err)
			}
			s.print()
			if code := s.exitCode(false); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
		})
	}
}

func TestReason(t *testing.T) {
	for _, c := range []struct {
		want   string
		output []string
	}{
		{"no reason given", nil},
		{"needs root", []string{"=== RUN   TestX\n", "    x_test.go:1: asking\n", "    x_test.go:2: needs root\n", "--- SKIP: TestX (0.01s)\n"}},
		{"needs root", []string{"    cmd.go:380: needs root\n", "    testscript.go:609: WORK=$WORK\n", "        PATH=/bin\n"}},
	} {
		if got := (&test{output: c.output}).reason(); got != c.want {
			t.Errorf("%q: reason %q, want %q", c.output, got, c.want)
		}
	}
}

func TestManySkips(t *testing.T) {
	var list []string
	for _, n := range []string{"A", "B", "C", "D", "E", "F"} {
		list = append(list, "skip a:Test"+n+" needs gcc")
	}
	var out strings.Builder
	s := newSummary(&out)
	if err := s.read(strings.NewReader(events(append(list, "pass a")...))); err != nil {
		t.Fatal(err)
	}
	s.print()
	if want := "   6  a            TestA, TestB, TestC, TestD and 2 more\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}
