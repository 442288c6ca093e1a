package accuracy

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	fnA = function{"moveresults", "ldo.c"}
	fnB = function{"freeobj", "lgc.c"}
)

func TestParsePerf(t *testing.T) {
	batch := map[string]function{"ev1": fnA, "ev12": fnB}
	for _, test := range []struct {
		name, out string
		want      places
		bad       bool
	}{
		{"none", "", places{}, false},
		{"several", "p:probe_lua/ev1 /tmp/a b/lua:0x12019\np:probe_lua/ev12 /x/lua:0x13cf0\np:probe_lua/ev12_1 /x/lua:0x1c2d0\n",
			places{fnA: {0x12019}, fnB: {0x13cf0, 0x1c2d0}}, false},
		{"arguments", "p:probe_lua/ev1 /x/lua:0x10 a=%ax\n", places{fnA: {0x10}}, false},
		{"unknown event", "p:probe_lua/ev7 /x/lua:0x10\n", nil, true},
		{"another text", "Added new event\n", nil, true},
		{"address too large", "p:probe_lua/ev1 /x/lua:0x10000000000000000\n", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := places{}
			err := parsePerf(test.out, batch, got)
			if (err != nil) != test.bad {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, got); !test.bad && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDropFailed(t *testing.T) {
	twice := map[string]bool{"freeobj": true}
	for _, test := range []struct {
		name, out string
		left      int
		ok        bool
	}{
		{"plain name", "Probe point 'moveresults' not found.\n  Error: Failed to add events.\n", 1, true},
		{"with its file", "Probe point 'freeobj@lgc.c' not found.\n", 1, true},
		{"another name", "Probe point 'moveresult' not found.\n", 2, false},
		{"no name", "Failed to open debuginfo.\n", 2, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			batch := map[string]function{"ev1": fnA, "ev2": fnB}
			ok := dropFailed(&commandError{output: test.out}, batch, twice)
			if ok != test.ok || len(batch) != test.left {
				t.Errorf("got %v, %d left; want %v, %d", ok, len(batch), test.ok, test.left)
			}
		})
	}
	if dropFailed(errors.New("other"), map[string]function{"ev1": fnA}, nil) {
		t.Error("an error without output dropped a function")
	}
}

func TestParseGDB(t *testing.T) {
	out := `Breakpoint 1 at 0x13ef0: file lgc.c, line 900.
Function "nosuch" not defined.

Num     Type           Disp Enb Address            What
1       breakpoint     keep y   0x0000000000013ef0 in GCTM at /src/lgc.c:900
2       breakpoint     keep y   <PENDING>          nosuch
3       breakpoint     keep y   <MULTIPLE>         ` + `
3.1                         y   0x000000000002b931 in LEfloatint at /src/lvm.c:512
3.2                         y   0x000000000002e7a0 in LEfloatint at /src/lvm.c:512
`
	got, err := parseGDB(out)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int][]uint64{1: {0x13ef0}, 3: {0x2b931, 0x2e7a0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := parseGDB("gdb: cannot open\n"); err == nil {
		t.Error("no table, no error")
	}
}

func TestGDBScript(t *testing.T) {
	got := gdbScript([]function{fnA, fnB}, map[string]bool{"freeobj": true})
	want := "set breakpoint pending on\nset pagination off\nset width 0\nset confirm off\n" +
		"break -function moveresults\nbreak -source lgc.c -function freeobj\ninfo breakpoints\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAddCounts(t *testing.T) {
	out := `264	11471
{"schema":"surehook.count/1","hook":"h","function":"f","executions":3,"plain":1,"verdict":"complete","by_site":[{"address":"0x10","hits":1},{"address":"0x20","hits":2}],"file":"/src/a.c","line":4}
{"schema":"surehook.count/1","hook":"h","function":"f","executions":5,"plain":null,"verdict":"partial","by_site":[{"address":"0x20","hits":5}],"file":"/src/a.c","line":4}
{"schema":"surehook.count/1","hook":"h","function":"f","executions":7,"plain":null,"verdict":"unknown","by_site":[],"file":"/src/b.c","line":9}
{"json":"of the workload"}
`
	sum := map[function]*ours{}
	for range 2 { // two commands of one workload
		if err := addCounts(sum, out); err != nil {
			t.Fatal(err)
		}
	}
	want := map[function]*ours{
		{"f", "a.c"}: {Executed: 16, Verdict: "partial", Sites: []site{{"0x10", 2}, {"0x20", 14}}},
		{"f", "b.c"}: {Executed: 14, Verdict: "unknown"},
	}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error(diff)
	}
	if err := addCounts(sum, "no line\n"); err == nil {
		t.Error("no line, no error")
	}
}

func TestAddReasons(t *testing.T) {
	sum := map[function]*ours{fnA: {}}
	out := `{"schema":"surehook.sites/1","function":"moveresults","decl_file":"/x/ldo.c","plan":{"verdict":"partial","reasons":[{"code":"recursion","text":"a self call"},"plain"]}}
{"schema":"surehook.sites/1","function":"other","decl_file":"/x/ldo.c","plan":{"verdict":"complete","reasons":[]}}
`
	if err := addReasons(sum, out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"recursion: a self call", "plain"}, sum[fnA].Reasons); diff != "" {
		t.Error(diff)
	}
	if !hasReason(sum[fnA].Reasons, "recursion") || hasReason(sum[fnA].Reasons, "recurs") {
		t.Error("hasReason")
	}
}

func TestSplit(t *testing.T) {
	for n := 2; n < 8; n++ {
		batch := map[string]function{}
		for i := range n {
			batch[itoa(i)] = function{}
		}
		if half := split(batch); len(batch) == 0 || len(half) == 0 || len(batch)+len(half) != n {
			t.Errorf("%d: %d and %d", n, len(batch), len(half))
		}
	}
}
