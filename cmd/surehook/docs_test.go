package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestDocumentedList: the example in docs/ci.md is the one that is run in
// testdata/checklist.txtar.
func TestDocumentedList(t *testing.T) {
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	a, err := txtar.ParseFile(filepath.Join("testdata", "checklist.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	example := "    " + strings.ReplaceAll(strings.TrimSpace(string(a.Files[0].Data)), "\n", "\n    ")
	if a.Files[0].Name != ".surehook.yaml" || !strings.Contains(string(page), example) {
		t.Errorf("docs/ci.md does not have\n%s", example)
	}
}
