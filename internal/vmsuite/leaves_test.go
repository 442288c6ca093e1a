package vmsuite

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/internal/vmtest"
)

// TestCells checks what counts: subtests in place of their test, and a test
// that fails by itself beside them.
func TestCells(t *testing.T) {
	result := func(name string, s vmtest.Status, output string) vmtest.TestResult {
		return vmtest.TestResult{Name: name, Status: s, Output: output}
	}
	c := &column{results: map[string][]vmtest.TestResult{"p": {
		result("TestA", vmtest.Pass, ""), result("TestA/x", vmtest.Pass, ""), result("TestA/y", vmtest.Skip, ""),
		result("TestB", vmtest.Fail, ""), result("TestB/x", vmtest.Pass, ""),
		result("TestC", vmtest.Fail, ""), result("TestC/x", vmtest.Fail, ""), result("TestC/y", vmtest.Pass, ""),
		result("TestD", vmtest.Skip, ""), result("TestE", vmtest.Pass, ""),
		result("TestF", vmtest.Skip, "    a_test.go:1: its programs were not built: no compiler\n"),
	}}}
	want := map[string]string{
		"p TestA": "pass 1/2", "p TestB": "FAIL 1/2", "p TestC": "FAIL 1/2", "p TestD": "skip", "p TestE": "pass", "p TestF": notBuilt,
	}
	if diff := cmp.Diff(want, c.cells()); diff != "" {
		t.Error(diff)
	}
}
