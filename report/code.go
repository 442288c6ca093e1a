package report

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"

	"github.com/surehook/surehook/sites"
)

// maxCallers is how many direct callers the text names; JSON has all.
const maxCallers = 8

// codeRows lists the direct callers that the machine code shows.
func codeRows(w *bufio.Writer, e *sites.CodeEvidence) {
	if e == nil || len(e.Callers) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  direct calls left in the file\n")
	rows := columns{}
	for i, c := range e.Callers {
		if i == maxCallers {
			rows.add(fmt.Sprintf("and %d more", len(e.Callers)-i))
			break
		}
		rows.add(short(cmp.Or(c.Function, "?"), 40), fmt.Sprintf("%#x", c.Address), calls(c))
	}
	rows.print(w, "    ")
}

func calls(c sites.CodeCaller) string {
	var parts []string
	if c.Calls > 0 {
		parts = append(parts, plural(c.Calls, "call"))
	}
	if c.Tails > 0 {
		parts = append(parts, plural(c.Tails, "tail call"))
	}
	return strings.Join(parts, ", ")
}

type codeObject struct {
	Callers       []codeCallerObject `json:"callers"`
	Calls         int                `json:"calls"`
	TailCalls     int                `json:"tail_calls"`
	SelfCalls     int                `json:"self_calls"`
	StubCalls     int                `json:"stub_calls"`
	Exported      bool               `json:"exported"`
	AddressInCode bool               `json:"address_in_code"`
	AddressInData bool               `json:"address_in_data"`
	IndirectCalls int                `json:"indirect_calls"`
	UnreadBytes   uint64             `json:"unread_bytes"`
	LooseCalls    int                `json:"loose_calls"`
	SourceFile    string             `json:"source_file"`
	NoCaller      sites.Confidence   `json:"no_caller"`
	Lowered       []string           `json:"lowered_by"`
}

type codeCallerObject struct {
	Function  string `json:"function"`
	Address   hex    `json:"address"`
	Calls     int    `json:"calls"`
	TailCalls int    `json:"tail_calls"`
}

func newCode(e *sites.CodeEvidence) *codeObject {
	if e == nil {
		return nil
	}
	o := &codeObject{
		Callers: []codeCallerObject{}, Calls: e.Calls, TailCalls: e.Tails, SelfCalls: e.Self, StubCalls: e.Stubs,
		Exported: e.Exported, AddressInCode: e.AddressInCode, AddressInData: e.AddressInData, IndirectCalls: e.Indirect,
		UnreadBytes: e.Unread, LooseCalls: e.Loose, SourceFile: e.Source, NoCaller: e.NoCaller, Lowered: append([]string{}, e.Lowered...),
	}
	for _, c := range e.Callers {
		o.Callers = append(o.Callers, codeCallerObject{c.Function, hex(c.Address), c.Calls, c.Tails})
	}
	return o
}
