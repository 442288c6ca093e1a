package daemon

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
)

var update = flag.Bool("update", false, "write testdata/metrics.txt")

func example() Status {
	return Status{
		Hooks: []HookStatus{{
			Name: "tls-write", Executions: 1234, Undecided: 2, Gap: 1500 * time.Millisecond, Gaps: 1, Replaced: 2, Inside: true, Containers: 4,
			Builds: []BuildStatus{
				{ID: "aa11", Path: "/lib/libssl.so.3", Planned: 3, Attached: 3, Plan: "complete"},
				{ID: "bb22", Path: "/lib/libssl.so.3 (deleted)", Planned: 1, Attached: 1, Plan: "complete", Retired: true},
			},
			Findings: []FindingStatus{{"not-installed", 1}},
			Misses:   []Miss{{Layer: "program"}, {Layer: "link", N: 7, Observable: true}},
		}, {Name: "late", Waiting: "/opt/late.so is not there"}},
		Features: []Feature{{Name: "no-gap", On: true}, {Name: "pin", Why: "no BPF file system at /sys/fs/bpf"}},
		Reloads:  Reloads{Good: 2, Bad: 1, Last: time.Unix(1700000000, 0), Failed: "hooks.yaml:1:1: no hooks"},
	}
}

func TestMetrics(t *testing.T) {
	c := newCollector(func() (Status, error) { return example(), nil })
	var names []string
	for _, m := range c.table {
		names = append(names, m.name)
	}
	got, err := testutil.CollectAndFormat(c, expfmt.TypeTextPlain, names...)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/metrics.txt", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("run go test -update if this is wanted:\n%s", d)
	}
	problems, err := testutil.CollectAndLint(c)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}

func TestServer(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	s := example()
	status := func() (Status, error) { return s, nil }
	get := func(path string) (int, string) {
		r := httptest.NewRecorder()
		handler("v1", status, newHistory().latency, quiet).ServeHTTP(r, httptest.NewRequest("GET", path, nil))
		body, _ := io.ReadAll(r.Body)
		return r.Code, string(body)
	}
	if code, body := get("/metrics"); code != 200 || !strings.Contains(body, `surehook_executions_total{hook="tls-write"} 1234`) ||
		!strings.Contains(body, `surehook_build_info{version="v1"} 1`) || strings.Contains(body, `surehook_misses_total{hook="tls-write",layer="program"}`) {
		t.Errorf("metrics: %d %s", code, body)
	}
	var h health
	code, body := get("/healthz")
	if err := json.Unmarshal([]byte(body), &h); err != nil || code != 200 || !h.OK || len(h.Problems) != 2 || len(h.Features) != 2 {
		t.Errorf("health: %d %s", code, body)
	}
	if code, body := get("/readyz"); code != 503 || !strings.Contains(body, "late waits: /opt/late.so is not there") {
		t.Errorf("not ready: %d %s", code, body)
	}
	s.Hooks = s.Hooks[:1]
	if code, body := get("/readyz"); code != 200 {
		t.Errorf("ready: %d %s", code, body)
	}
	s.Hooks[0].Builds[0].Attached = 2
	if code, body := get("/readyz"); code != 503 || !strings.Contains(body, "2 of 3 probes") {
		t.Errorf("not all attached: %d %s", code, body)
	}
	status = func() (Status, error) { return Status{}, errors.New("counters cannot be read") }
	if code, _ := get("/metrics"); code != 500 {
		t.Errorf("metrics without counters: %d, want an error and no zeros", code)
	}
	if code, _ := get("/healthz"); code != 503 {
		t.Errorf("health without counters: %d", code)
	}
}

// The page has the table that the metrics are made from.
func TestMetricsPage(t *testing.T) {
	const name, begin = "../../docs/supervision.md", "go test ./internal/daemon -update -->\n"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	if !ok {
		t.Fatalf("%s has no place for the metrics", name)
	}
	_, after, more := strings.Cut(rest, "\n\n")
	want := before + begin + MetricsMarkdown()
	if more {
		want += "\n" + after
	}
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != want {
		t.Errorf("%s is not what the table makes; run go test ./internal/daemon -update", name)
	}
}
