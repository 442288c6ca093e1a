package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// headTime bounds how long a client may take to ask: it is a scraper.
	headTime = 5 * time.Second
	// answerTime bounds an answer; Prometheus gives up after 10 s.
	answerTime = 10 * time.Second
	// endTime is how long answers under way may take at the end.
	endTime = time.Second
)

// health is what /healthz and /readyz answer, as JSON.
type health struct {
	OK       bool      `json:"ok"`
	Problems []string  `json:"problems,omitempty"`
	Features []feature `json:"features,omitempty"`
}

type feature struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
	Why  string `json:"why,omitempty"`
}

// handler serves /metrics, /healthz and /readyz.
func handler(version string, status func() (Status, error), latency prometheus.Collector, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "surehook_build_info", Help: "1; the version is in the label.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	registry.MustRegister(info, newCollector(status), latency, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: logger{log}, Timeout: answerTime, MaxRequestsInFlight: 4,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, live(status())) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, ready(status())) })
	return mux
}

// live says whether the daemon works: it does when it can say how it is.
func live(s Status, err error) health {
	h := health{OK: err == nil}
	if err != nil {
		h.Problems = append(h.Problems, err.Error())
	}
	for _, f := range s.Features {
		h.Features = append(h.Features, feature(f))
		if !f.On {
			h.Problems = append(h.Problems, fmt.Sprintf("%s is not in force: %s", f.Name, f.Why))
		}
	}
	if s.Reloads.Failed != "" {
		h.Problems = append(h.Problems, "the configuration was not taken: "+s.Reloads.Failed)
	}
	return h
}

// ready says whether every hook is attached at all its places.
func ready(s Status, err error) health {
	h := live(s, err)
	for _, x := range s.Hooks {
		if x.Waiting != "" {
			h.OK = false
			h.Problems = append(h.Problems, fmt.Sprintf("%s waits: %s", x.Name, x.Waiting))
		}
		for _, b := range x.Builds {
			if b.Attached < b.Planned {
				h.OK = false
				h.Problems = append(h.Problems, fmt.Sprintf("%s has %d of %d probes in %s", x.Name, b.Attached, b.Planned, b.Path))
			}
		}
	}
	return h
}

func answer(w http.ResponseWriter, h health) {
	w.Header().Set("Content-Type", "application/json")
	if !h.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(h) // the client has gone away if it fails
}

// serve answers until the context ends.
func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headTime, ReadTimeout: headTime, WriteTimeout: 2 * answerTime, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	end := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), endTime)
		defer cancel()
		if s.Shutdown(late) != nil {
			_ = s.Close()
		}
	})
	defer end()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// logger gives what promhttp has to say to slog.
type logger struct{ *slog.Logger }

// Println implements promhttp.Logger.
func (l logger) Println(v ...any) { l.Warn("metrics", "error", fmt.Sprint(v...)) }
