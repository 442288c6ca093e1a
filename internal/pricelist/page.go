package pricelist

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/surehook/surehook/bench"
)

// HTML writes the chart with the tables as one page that needs nothing else.
func HTML(w io.Writer, r *bench.Report) error {
	var chart, tables strings.Builder
	if err := SVG(&chart, r); err != nil {
		return err
	}
	if err := Text(&tables, r); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cost of hookpoints, Linux %s</title>
<style>
body { margin: 0; padding: 1.5rem; background: #ffffff; color: #1b1f24; }
@media (prefers-color-scheme: dark) { body { background: #14171b; color: #e7ebef; } }
svg { max-width: 100%%; height: auto; }
pre { overflow-x: auto; font: 12px/1.5 ui-monospace, monospace; }
</style>
%s<pre>%s</pre>
</html>
`, html.EscapeString(r.Kernel), chart.String(), html.EscapeString(tables.String()))
	return err
}
