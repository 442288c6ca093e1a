package accuracy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// countLine is one line of surehook trace --count --format json
// (surehook.count/1), as far as the harness reads it.
type countLine struct {
	Schema     string  `json:"schema"`
	Function   string  `json:"function"`
	Linkage    string  `json:"linkage"`
	File       string  `json:"file"`
	Line       int     `json:"line"`
	Executions uint64  `json:"executions"`
	Verdict    string  `json:"verdict"`
	BySite     []site  `json:"by_site"`
	Plain      *uint64 `json:"plain"`
}

// site is one site with its hits.
type site struct {
	Address string `json:"address"`
	Hits    uint64 `json:"hits"`
}

// siteLine is one line of surehook sites --format json (surehook.sites/1).
type siteLine struct {
	Schema   string `json:"schema"`
	Function string `json:"function"`
	Linkage  string `json:"linkage"`
	File     string `json:"decl_file"`
	Plan     struct {
		Verdict string   `json:"verdict"`
		Reasons []reason `json:"reasons"`
	} `json:"plan"`
}

// reason is a piece of a verdict's evidence. Written either as one string or
// as an object with a code.
type reason string

func (r *reason) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*r = reason(s)
		return nil
	}
	var o struct{ Code, Text string }
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	*r = reason(strings.TrimSpace(o.Code + ": " + o.Text))
	return nil
}

// ours is what surehook says of one function.
type ours struct {
	Executed uint64   `json:"n"`
	Verdict  string   `json:"verdict"` // the worst, if there are several lines
	Sites    []site   `json:"sites"`
	Reasons  []string `json:"reasons"`
}

// buildSurehook builds the command from the module in the working directory.
// Go's own cache makes the second time fast.
func buildSurehook(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "surehook")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/surehook")
	cmd.Env = os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &commandError{cmd.Args, string(out), err}
	}
	return bin, nil
}

// countSurehook runs the workload under surehook trace and asks surehook sites
// for the reasons of the verdicts: here, as that answer is the same everywhere.
func countSurehook(ctx context.Context, on machine, surehook string, w workload) (map[function]*ours, error) {
	out, err := on.trace(ctx, w, surehook)
	if err != nil {
		return nil, err
	}
	sum := map[function]*ours{}
	if err := addCounts(sum, out); err != nil {
		return nil, err
	}
	out, err = run(ctx, w.bin.dir, surehook, append([]string{"sites", "--format", "json"}, w.hooks(w.bin.path)...)...)
	if err != nil && out == "" {
		return nil, err // a verdict below complete may make it exit with 1
	}
	return sum, addReasons(sum, out)
}

// addCounts adds the lines of one run. Functions of one name and file (a
// header's, compiled many times) add up. Lines that are not JSON are the
// workload's own output.
func addCounts(sum map[function]*ours, out string) error {
	lines := map[function][]countLine{}
	var order []function
	for text := range strings.Lines(out) {
		var l countLine
		if json.Unmarshal([]byte(text), &l) != nil || l.Schema != "surehook.count/1" {
			continue
		}
		f := functionOf(l.Function, l.Linkage, l.File)
		if lines[f] == nil {
			order = append(order, f)
		}
		lines[f] = append(lines[f], l)
	}
	if len(order) == 0 {
		return fmt.Errorf("surehook trace wrote no surehook.count/1 line: %.300q", out)
	}
	for _, f := range order {
		o := sum[f]
		if o == nil {
			o = &ours{}
			sum[f] = o
		}
		for _, l := range lines[f] {
			o.Executed += l.Executions
			o.Verdict = worse(o.Verdict, l.Verdict)
			o.Sites = addSites(o.Sites, l.BySite)
		}
	}
	return nil
}

// functionOf is the identity of what surehook calls by these names.
func functionOf(name, linkage, file string) function {
	if link := mangled(linkage); link != "" {
		return function{Name: family(link)}
	}
	return function{unqualified(name), baseName(file)}
}

// unqualified is the last part of a::b<c::d>::e.
func unqualified(name string) string {
	depth := 0
	for i := len(name) - 1; i > 0; i-- {
		switch c := name[i]; {
		case c == '>':
			depth++
		case c == '<':
			depth--
		case c == ':' && name[i-1] == ':' && depth == 0:
			return name[i+1:]
		}
	}
	return name
}

// addSites adds hits by address.
func addSites(sum, more []site) []site {
next:
	for _, m := range more {
		for i := range sum {
			if sum[i].Address == m.Address {
				sum[i].Hits += m.Hits
				continue next
			}
		}
		sum = append(sum, m)
	}
	return sum
}

// addReasons adds the reasons of the plan's verdicts.
func addReasons(sum map[function]*ours, out string) error {
	for text := range strings.Lines(out) {
		var l siteLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return fmt.Errorf("surehook sites: %w: %.200q", err, text)
		}
		o := sum[functionOf(l.Function, l.Linkage, l.File)]
		if l.Schema != "surehook.sites/1" || o == nil {
			continue
		}
		for _, r := range l.Plan.Reasons {
			o.Reasons = append(o.Reasons, string(r))
		}
	}
	return nil
}

// worse is the verdict that promises less.
func worse(a, b string) string {
	rank := map[string]int{"": 0, "complete": 1, "partial": 2, "none": 3, "unknown": 4}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// baseName is the last element of a path, "" for none.
func baseName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}
