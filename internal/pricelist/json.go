package pricelist

import (
	"encoding/json"
	"io"

	"github.com/surehook/surehook/bench"
)

// JSON writes a report as one object, surehook.bench/1 of docs/json.md.
func JSON(w io.Writer, r *bench.Report) error {
	published := bench.Published()
	if r.Workload != nil {
		published = []bench.PublishedFigure{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Schema string `json:"schema"`
		*bench.Report
		Published []bench.PublishedFigure `json:"published"`
	}{"surehook.bench/1", r, published})
}
