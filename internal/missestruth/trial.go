package missestruth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/internal/nesting"
	"github.com/surehook/surehook/misses"
)

// Attempt is one nesting to be made in the guest.
type Attempt struct {
	Outer     string `json:"outer"` // hooks, as package hook spells them
	Inner     string `json:"inner"`
	Reference string `json:"reference"` // fires whenever Inner does, and is never skipped; "": Outer fires as often
	Action    uint32 `json:"action"`    // nesting.Action
	Calls     int    `json:"calls"`
}

// Tried is what became of an Attempt.
type Tried struct {
	Attempt
	Refused  string       `json:"refused"` // why it could not be made; "" if it was, and then:
	Outside  uint64       `json:"outside"` // executions of the outer program
	Expected uint64       `json:"expected"`
	Ran      uint64       `json:"ran"`
	Program  uint64       `json:"program"` // recursion_misses
	Link     uint64       `json:"link"`
	Said     misses.Count `json:"said"` // of the inner program
	// Alone is what the inner program lost where the outer one did nothing: a
	// hook on what its own handling calls. Only of what lost executions and has
	// a Reference.
	Alone uint64 `json:"alone"`
}

// Lost is how many executions did not run the inner program.
func (t *Tried) Lost() uint64 { return t.Expected - min(t.Ran, t.Expected) }

// Right tells whether what was said is true: exactly what was lost, not more
// than that, or that it cannot be seen. A hook with a Reference fires in other
// threads too, whose losses the kernel counts with those of the trial.
func (t *Tried) Right() bool {
	switch t.Said.Known {
	case misses.Exact:
		return t.Said.N == t.Lost() || t.Reference != "" && t.Said.N > t.Lost()
	case misses.AtLeast:
		if t.Reference != "" {
			return true
		}
		return t.Said.N <= t.Lost()
	case misses.NotObservable:
		return t.Program+t.Link == 0
	}
	return true
}

// Files of the guest.
const (
	AttemptsFile = "/attempts.json"
	TriedFile    = "/tmp/tried.json"
)

// calls of each nesting.
const calls = 1000

// Function that the outer program's update of a hash map calls, and the event
// of its bpf_trace_printk.
const (
	mapUpdate = "htab_map_update_elem"
	printk    = "bpf_trace_printk"
)

// Matrix are nestings of all kinds in all kinds.
func Matrix(arch string) []Attempt {
	getpgid := map[string]string{"amd64": "__x64_sys_getpgid", "arm64": "__arm64_sys_getpgid"}[arch]
	var out []Attempt
	for _, outer := range []string{
		"kprobe:" + getpgid, "kretprobe:" + getpgid, "kprobe.multi:" + getpgid, "fentry:" + getpgid,
		"tracepoint:task:task_rename", "tracepoint:syscalls:sys_enter_getpgid", "rawtracepoint:task_rename", "lsm:task_getpgid",
	} {
		for _, inner := range []string{
			"kprobe:" + mapUpdate, "kretprobe:" + mapUpdate, "kprobe.multi:" + mapUpdate, "kretprobe.multi:" + mapUpdate,
			"fentry:" + mapUpdate, "fexit:" + mapUpdate, "tracepoint:bpf_trace:" + printk, "rawtracepoint:" + printk,
		} {
			action := nesting.Update
			if strings.HasSuffix(inner, printk) {
				action = nesting.Print
			}
			out = append(out, Attempt{Outer: outer, Inner: inner, Action: uint32(action), Calls: calls})
		}
	}
	return out
}

// Decode reads TriedFile.
func Decode(data []byte, want int) ([]Tried, error) {
	var tried []Tried
	if err := json.Unmarshal(data, &tried); err != nil {
		return nil, err
	}
	if len(tried) != want {
		return nil, fmt.Errorf("the guest made %d of %d nestings", len(tried), want)
	}
	return tried, nil
}

// Dozen are twelve nestings of the matrix: four kinds of outer hooks, three
// of inner ones.
func Dozen(arch string) []Attempt {
	var out []Attempt
	for _, a := range Matrix(arch) {
		outer, _, _ := strings.Cut(a.Outer, ":")
		inner, _, _ := strings.Cut(a.Inner, ":")
		if slices.Contains([]string{"kprobe", "kprobe.multi", "fentry"}, outer) || strings.HasSuffix(a.Outer, "task_rename") && outer == "tracepoint" {
			if slices.Contains([]string{"kprobe", "kprobe.multi", "tracepoint"}, inner) {
				out = append(out, a)
			}
		}
	}
	return out
}
