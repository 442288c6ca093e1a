package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/internal/yamltree"
)

const chart = "../../dist/helm/surehook"

// program is a program of Debian's that a test needs.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not here (apt-get install prometheus)", name)
	}
	return path
}

// What the alerts and the dashboard ask for must be what the daemon has.
func TestFleetAsksForMetricsThatAreThere(t *testing.T) {
	known := map[string]bool{"surehook_build_info": true, "surehook_attach_seconds_bucket": true}
	for _, m := range metrics() {
		known[m.name] = true
	}
	for _, name := range []string{"alerts.yaml", "dashboard.json"} {
		data, err := os.ReadFile(filepath.Join(chart, "files", name))
		if err != nil {
			t.Fatal(err)
		}
		asked := regexp.MustCompile(`surehook_[a-z_]+`).FindAllString(string(data), -1)
		if len(asked) == 0 {
			t.Errorf("%s asks for nothing", name)
		}
		for _, m := range asked {
			if !known[m] {
				t.Errorf("%s asks for %s, which there is not", name, m)
			}
		}
		if name == "dashboard.json" && !json.Valid(data) {
			t.Errorf("%s is no JSON", name)
		}
	}
}

func TestAlerts(t *testing.T) {
	promtool := program(t, "promtool")
	for _, args := range [][]string{
		{"check", "rules", filepath.Join(chart, "files/alerts.yaml")},
		{"test", "rules", "testdata/alerts_test.yaml"},
	} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestPrometheus lets a real Prometheus scrape the metrics.
func TestPrometheus(t *testing.T) {
	prometheus := program(t, "prometheus")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ours := listen(t)
	go func() {
		status := func() (Status, error) { return example(), nil }
		if err := serve(ctx, ours, handler("v1", status, newHistory().latency, slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	}()
	free := listen(t)
	theirs := free.Addr().String()
	free.Close() // for Prometheus, which cannot be given a socket
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	rules, err := filepath.Abs(filepath.Join(chart, "files/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%s]\nscrape_configs:\n- job_name: surehook\n  static_configs: [{targets: [%q]}]\n", rules, ours.Addr())
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+theirs)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	for query, want := range map[string]string{
		`surehook_executions_total{hook="tls-write"}`:                           "1234",
		`surehook_verdict{hook="tls-write",build_id="aa11",verdict="complete"}`: "1",
		`count(ALERTS{alertname="SurehookWaiting",alertstate="pending"})`:       "1",
		`up{job="surehook"}`: "1",
	} {
		if got, err := ask(ctx, theirs, query); err != nil || got != want {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("%s is %q, %v; want %s\n%s", query, got, err, want, said)
		}
	}
}

// listen gives a port that nobody else has.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// ask puts a query until Prometheus has an answer.
func ask(ctx context.Context, addr, query string) (string, error) {
	last := errors.New("not asked")
	for ctx.Err() == nil {
		var answer struct {
			Data struct {
				Result []struct{ Value [2]any }
			}
		}
		r, err := http.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(query))
		if err == nil {
			err = json.NewDecoder(r.Body).Decode(&answer)
			r.Body.Close()
		}
		if err == nil && len(answer.Data.Result) > 0 {
			return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
		}
		last = err
		// Prometheus has no way to be told of the next scrape.
		time.Sleep(100 * time.Millisecond)
	}
	return "", last
}

// The configuration in the chart must be one that the daemon takes.
func TestChart(t *testing.T) {
	files, err := filepath.Glob("testdata/chart/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rendered charts: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := yamltree.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := false
		for _, d := range docs {
			text := d.Get("data").Get("hooks.yaml").String()
			if text == "" {
				continue
			}
			found = true
			if c, err := ParseConfig(name, []byte(text)); err != nil || len(c.Hooks) == 0 || c.Listen != ":9464" {
				t.Errorf("%s: %+v, %v", name, c, err)
			}
		}
		if !found {
			t.Errorf("%s has no configuration", name)
		}
	}
}
