package report

import (
	"strings"
	"testing"

	"github.com/surehook/surehook/sites"
)

func TestCode(t *testing.T) {
	e := &sites.CodeEvidence{Calls: 3, Tails: 1, Exported: true, Indirect: 2, Source: "a.c"}
	for range maxCallers + 2 {
		e.Callers = append(e.Callers, sites.CodeCaller{Function: "caller", Address: 0x1000, Calls: 2, Tails: 1})
	}
	r := sites.Result{Function: "f", Plan: sites.Judgement{Verdict: sites.Unknown}, Notes: sites.Notes{Code: e}}
	var text, json strings.Builder
	if err := Sites(&text, Text, []sites.Result{r}, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"direct calls left in the file\n", "caller  0x1000  2 calls, 1 tail call\n", "and 2 more"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	r.Notes.Code = &sites.CodeEvidence{NoCaller: sites.Medium, Unread: 4, Lowered: []string{"why"}}
	if err := Sites(&json, JSON, []sites.Result{r}, false); err != nil {
		t.Fatal(err)
	}
	want := `"code":{"callers":[],"calls":0,"tail_calls":0,"self_calls":0,"stub_calls":0,"exported":false,"address_in_code":false,` +
		`"address_in_data":false,"indirect_calls":0,"unread_bytes":4,"loose_calls":0,"source_file":"","no_caller":"medium","lowered_by":["why"]}}`
	if !strings.Contains(json.String(), want) {
		t.Errorf("no %s in\n%s", want, json.String())
	}
}
