package vmtest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// TestArgs make a test binary print what ParseTests reads.
func TestArgs() []string { return []string{"-test.v=test2json", "-test.paniconexit0"} }

// BuildTest builds the test binary of a package of this module for a machine,
// without cgo. Its tests expect to run in a directory with their testdata.
func BuildTest(ctx context.Context, arch, pkg, out string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c %s for %s: %w: %s", pkg, arch, err, text)
	}
	return nil
}

// Status is what became of a test.
type Status string

// The statuses. A test that has begun and not ended has failed.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// TestResult is what became of one test or subtest.
type TestResult struct {
	Name   string // with those of its parents, as go test prints it
	Status Status
	Output string // its own lines
}

// Reason is the text given to Skip: the last message of the test.
func (r TestResult) Reason() string {
	lines := logLine.FindAllStringSubmatch(r.Output, -1)
	if len(lines) == 0 {
		return "no reason given"
	}
	return strings.TrimSpace(lines[len(lines)-1][1])
}

// logLine is how testing prints a message: "    file_test.go:12: text".
var logLine = regexp.MustCompile(`(?m)^\s*[\w.-]+\.go:\d+: (.*)$`)

// framing marks testing's own lines (cmd/internal/test2json).
const framing = "\x16"

// ParseTests reads what a test binary with TestArgs printed, in the order in
// which the tests began. What a binary prints that died is read up to there.
func ParseTests(stdout []byte) []TestResult {
	var list []TestResult
	index := map[string]int{}
	current := -1
	sc := bufio.NewScanner(bytes.NewReader(stdout))
	sc.Buffer(nil, len(stdout)+1)
	for sc.Scan() {
		text, mark, ok := strings.Cut(sc.Text(), framing)
		if text != "" && current >= 0 {
			list[current].Output += text + "\n"
		}
		if !ok {
			continue
		}
		words := strings.Fields(mark)
		if len(words) < 3 {
			continue
		}
		name := words[2]
		at, seen := index[name]
		switch words[0] + " " + words[1] {
		case "=== RUN":
			if !seen {
				at, index[name] = len(list), len(list)
				list = append(list, TestResult{Name: name, Status: Fail})
			}
			current = at
		case "--- PASS:":
			list, current = ended(list, at, seen, Pass)
		case "--- SKIP:":
			list, current = ended(list, at, seen, Skip)
		case "--- FAIL:":
			list, current = ended(list, at, seen, Fail)
		case "=== NAME", "=== CONT":
			if current = -1; seen {
				current = at
			}
		}
	}
	return list
}

// ended records the end of a test, whose output may still follow.
func ended(list []TestResult, at int, seen bool, s Status) ([]TestResult, int) {
	if !seen {
		return list, -1
	}
	list[at].Status = s
	return list, at
}
