package daemon

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is a row of the table that the metrics and their page are made from.
type metric struct {
	name   string
	kind   prometheus.ValueType
	labels []string
	help   string
	read   func(Status, func(v float64, labels ...string))
}

// metrics is the table. Labels are bounded: hooks are those of the
// configuration, builds those that are mapped; no process, no address.
func metrics() []metric {
	hook := []string{"hook"}
	return []metric{
		{"surehook_sites_attached", prometheus.GaugeValue, []string{"hook", "build_id"},
			"Places of the hook that have a probe, by build of its file.",
			eachBuild(func(b BuildStatus) float64 { return float64(b.Attached) })},
		{"surehook_sites_planned", prometheus.GaugeValue, []string{"hook", "build_id"},
			"Places at which an execution of the hook begins, by build of its file.",
			eachBuild(func(b BuildStatus) float64 { return float64(b.Planned) })},
		{"surehook_build_retired", prometheus.GaugeValue, []string{"hook", "build_id"},
			"1 for a build that is no longer at its path and that processes still run.",
			eachBuild(func(b BuildStatus) float64 { return number(b.Retired) })},
		{"surehook_executions_total", prometheus.CounterValue, hook,
			"Executions of the hook.",
			eachHook(func(h HookStatus) float64 { return float64(h.Executions) })},
		{"surehook_undecided_hits_total", prometheus.CounterValue, hook,
			"Hits of which the probe could not tell whether they were executions.",
			eachHook(func(h HookStatus) float64 { return float64(h.Undecided) })},
		{"surehook_reattachments_total", prometheus.CounterValue, hook,
			"Times that another build took the place of one and was attached.",
			eachHook(func(h HookStatus) float64 { return float64(h.Replaced) })},
		{"surehook_gap_seconds_total", prometheus.CounterValue, hook,
			"Time in which a new build could be run without probes.",
			eachHook(func(h HookStatus) float64 { return h.Gap.Seconds() })},
		{"surehook_gaps_total", prometheus.CounterValue, hook,
			"Times that a new build could be run without probes.",
			eachHook(func(h HookStatus) float64 { return float64(h.Gaps) })},
		{"surehook_verdict", prometheus.GaugeValue, []string{"hook", "build_id", "verdict"},
			"1 for the verdict on what is attached to a build: complete, partial, none or unknown.",
			func(s Status, emit func(float64, ...string)) {
				for _, h := range s.Hooks {
					for _, b := range h.Builds {
						emit(1, h.Name, b.ID, b.Plan)
					}
				}
			}},
		{"surehook_findings_total", prometheus.CounterValue, []string{"hook", "kind"},
			"What was found wrong with the hook's file, by kind.",
			func(s Status, emit func(float64, ...string)) {
				for _, h := range s.Hooks {
					for _, f := range h.Findings {
						emit(float64(f.N), h.Name, f.Kind)
					}
				}
			}},
		{"surehook_waiting", prometheus.GaugeValue, hook,
			"1 while nothing of the hook is attached because its file or function is not there.",
			eachHook(func(h HookStatus) float64 { return number(h.Waiting != "") })},
		{"surehook_containers", prometheus.GaugeValue, hook,
			"Other root directories in which the hook's file is attached, of hooks with containers: true.",
			func(s Status, emit func(float64, ...string)) {
				for _, h := range s.Hooks {
					if h.Inside {
						emit(float64(h.Containers), h.Name)
					}
				}
			}},
		{"surehook_misses_total", prometheus.CounterValue, []string{"hook", "layer"},
			"Executions that the kernel skipped, by layer. Absent where this kernel does not count them: see surehook_misses_observable.",
			func(s Status, emit func(float64, ...string)) {
				for _, h := range s.Hooks {
					for _, m := range h.Misses {
						if m.Observable {
							emit(float64(m.N), h.Name, m.Layer)
						}
					}
				}
			}},
		{"surehook_misses_observable", prometheus.GaugeValue, []string{"hook", "layer"},
			"1 where this kernel counts what the layer skips, 0 where nobody can know.",
			func(s Status, emit func(float64, ...string)) {
				for _, h := range s.Hooks {
					for _, m := range h.Misses {
						emit(number(m.Observable), h.Name, m.Layer)
					}
				}
			}},
		{"surehook_feature", prometheus.GaugeValue, []string{"feature"},
			"1 for what was asked for and is in force, 0 for what this machine refused (/healthz says why); absent: not tried yet.",
			func(s Status, emit func(float64, ...string)) {
				for _, f := range s.Features {
					emit(number(f.On), f.Name)
				}
			}},
		{"surehook_config_reloads_total", prometheus.CounterValue, []string{"result"},
			"Times that the configuration was read again.",
			func(s Status, emit func(float64, ...string)) {
				emit(float64(s.Reloads.Good), "taken")
				emit(float64(s.Reloads.Bad), "refused")
			}},
		{"surehook_config_last_reload_successful", prometheus.GaugeValue, nil,
			"1 if the configuration in force is the one in the file.",
			func(s Status, emit func(float64, ...string)) { emit(number(s.Reloads.Failed == "")) }},
		{"surehook_config_timestamp_seconds", prometheus.GaugeValue, nil,
			"When the configuration in force was read, in seconds since 1970.",
			func(s Status, emit func(float64, ...string)) {
				emit(float64(s.Reloads.Last.UnixNano()) / 1e9)
			}},
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func eachHook(value func(HookStatus) float64) func(Status, func(float64, ...string)) {
	return func(s Status, emit func(float64, ...string)) {
		for _, h := range s.Hooks {
			emit(value(h), h.Name)
		}
	}
}

func eachBuild(value func(BuildStatus) float64) func(Status, func(float64, ...string)) {
	return func(s Status, emit func(float64, ...string)) {
		for _, h := range s.Hooks {
			for _, b := range h.Builds {
				emit(value(b), h.Name, b.ID)
			}
		}
	}
}

// collector reads the status when it is asked, so that nothing counts in the
// background.
type collector struct {
	table  []metric
	descs  []*prometheus.Desc
	status func() (Status, error)
}

func newCollector(status func() (Status, error)) *collector {
	c := &collector{table: metrics(), status: status}
	for _, m := range c.table {
		c.descs = append(c.descs, prometheus.NewDesc(m.name, m.help, m.labels, nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s, err := c.status()
	if err != nil {
		// The scrape fails: counters that stand still would look like silence.
		out <- prometheus.NewInvalidMetric(c.descs[0], err)
		return
	}
	for i, m := range c.table {
		m.read(s, func(v float64, labels ...string) {
			// A label that is no UTF-8 is refused; names of files may hold anything.
			for j := range labels {
				labels[j] = strings.ToValidUTF8(labels[j], "�")
			}
			out <- prometheus.MustNewConstMetric(c.descs[i], m.kind, v, labels...)
		})
	}
}

// MetricsMarkdown is the table of metrics as a page has it.
func MetricsMarkdown() string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range metrics() {
		kind := "gauge"
		if m.kind == prometheus.CounterValue {
			kind = "counter"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, kind, strings.Join(m.labels, ", "), m.help)
	}
	return b.String()
}
