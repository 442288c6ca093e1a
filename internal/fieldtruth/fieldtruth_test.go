package fieldtruth

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/kernel"
)

// TestChoose: the same choice, whatever order the predictions were made in,
// and none of what is not known.
func TestChoose(t *testing.T) {
	var all []Prediction
	for i := range 300 {
		p := Prediction{Kernel: fmt.Sprint("k", i%3), Attaches: []kernel.Answer{kernel.Yes, kernel.No, kernel.NotKnown}[i%3]}
		p.Program = fmt.Sprint("p", i)
		all = append(all, p)
	}
	names := func(list []Prediction, chosen []int) []string {
		var out []string
		for _, i := range chosen {
			out = append(out, list[i].key())
		}
		slices.Sort(out)
		return out
	}
	breaks, passes := Choose(all)
	if len(breaks) != PerSide || len(passes) != PerSide {
		t.Fatalf("%d breaks, %d passes", len(breaks), len(passes))
	}
	for _, i := range breaks {
		if all[i].Attaches != kernel.No {
			t.Errorf("%s is no break", all[i].Program)
		}
	}
	other := slices.Clone(all)
	slices.Reverse(other)
	again, _ := Choose(other)
	if a, b := names(all, breaks), names(other, again); !slices.Equal(a, b) {
		t.Errorf("%v\n%v", a, b)
	}
}

// TestWrite: what came otherwise is listed, with what was said.
func TestWrite(t *testing.T) {
	tool := &Tool{Suite: Suites()[0], Name: "tool"}
	all := []Prediction{
		{Kernel: "debian-6.1", Tool: tool, Hook: "kprobe:a", Attaches: kernel.Yes, Done: true},
		{Kernel: "debian-6.1", Tool: tool, Hook: "kprobe:b", Attaches: kernel.No, Rule: "SH101", Why: "there is no b", Done: true},
		{Kernel: "debian-6.1", Tool: tool, Hook: "kprobe:c", Attaches: kernel.NotKnown, Done: true, Got: Tried{Stage: "attach", Error: "refused"}},
	}
	var b bytes.Buffer
	Write(&b, all, []int{1}, []int{0})
	for _, want := range []string{"breaks: 0 of 1", "passes: 1 of 1", "| **all** | 1 | 0 | 1 | 1 | 1 |", "| `kprobe:b` | SH101: there is no b | did it |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	_, after, _ := strings.Cut(b.String(), "Otherwise than said")
	if strings.Contains(after, "kprobe:a") || !strings.Contains(after, "kprobe:b") || strings.Contains(after, "kprobe:c") {
		t.Error(after)
	}
}

// TestReads: what a program got is compared with what it means.
func TestReads(t *testing.T) {
	for _, c := range []struct {
		read           Read
		garbage, right bool
	}{
		{Read{Value: Value{Program: "wide_tgid", PID: 7, Hits: 1, Got: 7}}, false, true},
		{Read{Value: Value{Program: "wide_tgid", PID: 7, Hits: 1, Got: 1<<32 | 7}, Rule: "SH117"}, true, true},
		{Read{Value: Value{Program: "drop_protocol", Hits: 1, Got: 0x800}, Rule: "SH119"}, false, false},
		{Read{Value: Value{Program: "drop_protocol", Hits: 1}}, true, false},
		{Read{Value: Value{Program: "drop_protocol"}, Rule: "SH119"}, false, false}, // it never ran
	} {
		if g, r := c.read.Garbage(), c.read.Right(); g != c.garbage || r != c.right {
			t.Errorf("%+v: garbage %v, right %v", c.read, g, r)
		}
	}
	if got := show(want("unlink_name", 0)); got != "`"+Victim+"`" {
		t.Error(got)
	}
}

// TestPrograms: each program that reads has a place for its value.
func TestPrograms(t *testing.T) {
	if _, err := exec.LookPath("clang"); err != nil {
		t.Skip("needs clang: ", err)
	}
	object, err := CompileReads(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := bpfobj.Read(bytes.NewReader(object), int64(len(object)), "reads.o")
	if err != nil || len(f.Programs) != 7 || len(f.Skipped) > 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	for _, p := range f.Programs {
		if Slot(p.Name) == 0 {
			t.Errorf("%s has no slot", p.Name)
		}
	}
}
