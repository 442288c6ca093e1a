package misses

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestDocsNameEveryField: docs/json.md is the contract.
func TestDocsNameEveryField(t *testing.T) {
	docs, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after := samples()
	var b strings.Builder
	if err := WriteJSON(&b, after, nil, []Reason{{Program: 3, Causes: []Cause{{Text: "x"}}, Instead: "y"}}); err != nil {
		t.Fatal(err)
	}
	if err := WriteTestJSON(&b, tested(t)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		schema, _ := object["schema"].(string)
		_, section, ok := strings.Cut(string(docs), "## "+schema+"\n")
		if !ok {
			t.Fatalf("docs/json.md has no section %s", schema)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for key, value := range object {
			if key != "schema" && !strings.Contains(section, "`"+key+"`") {
				t.Errorf("docs/json.md, %s: no field %s", schema, key)
			}
			if list, ok := value.([]any); ok && list == nil {
				t.Errorf("%s: %s is null", schema, key)
			}
		}
	}
}
