package accuracy

import "slices"

// Row is one line of the headline table with everything behind it.
type Row struct {
	Program  string   `json:"program"`
	Build    string   `json:"build"`
	Oracle   string   `json:"oracle"`
	Seconds  float64  `json:"seconds"` // of surehook's runs
	Results  []Result `json:"results"` // every function executed, by file and name
	Noise    []noise  `json:"noise"`
	Measured bool     `json:"measured"` // surehook was run
}

// The oracles.
const (
	oracleUnperturbed = "unperturbed"
	oracleMarked      = "marked"
)

// verdictAbsent stands for a function that surehook wrote no line for.
const verdictAbsent = "absent"

// Result is one function in one build.
type Result struct {
	Func    function          `json:"func"`
	Line    int               `json:"line"`
	Truth   uint64            `json:"truth"`
	Counts  map[string]uint64 `json:"counts"`            // by tool; 0 where it has no probe
	Refused map[string]int    `json:"refused,omitempty"` // probes not attached, by tool
	Verdict string            `json:"verdict"`           // surehook's, of its plan
	Reasons []string          `json:"reasons,omitempty"`
	Sites   []site            `json:"sites,omitempty"`
	Places  map[string][]site `json:"places,omitempty"` // the peers' places with hits
	Cause   cause             `json:"cause,omitempty"`  // of surehook's count not being exact
}

// exact tells whether a tool counted the function exactly.
func (r Result) exact(tool string) bool { return r.Counts[tool] == r.Truth }

// complete tells whether surehook promised that every execution is counted.
func (r Result) complete() bool { return r.Verdict == "complete" }

// newRow puts a truth, the peers' counts and surehook's together. own is nil
// when surehook was not run.
func newRow(program, build, oracle string, t truth, peers []peerCount, own map[function]*ours, b *image) Row {
	row := Row{Program: program, Build: build, Oracle: oracle, Noise: t.Noise, Measured: own != nil}
	index := map[function]int{}
	for _, c := range t.Counts {
		r := Result{Func: c.Func, Truth: c.N, Counts: map[string]uint64{}, Refused: map[string]int{}, Places: map[string][]site{}, Verdict: verdictAbsent}
		if o := ownOf(own, c.Func); o != nil {
			r.Counts[toolSurehook], r.Verdict, r.Sites, r.Reasons = o.Executed, o.Verdict, o.Sites, o.Reasons
		}
		index[c.Func] = len(row.Results)
		row.Results = append(row.Results, r)
	}
	for _, p := range peers {
		i, ok := index[p.Func]
		if !ok {
			continue
		}
		r := &row.Results[i]
		r.Counts[p.Tool] = p.Executed
		if p.Refused > 0 {
			r.Refused[p.Tool] = p.Refused
		}
		for k, off := range p.Offsets {
			addr, ok := b.address(off)
			if !ok {
				addr = off
			}
			r.Places[p.Tool] = append(r.Places[p.Tool], site{hexa(addr), p.Hits[k]})
		}
	}
	for i := range row.Results {
		r := &row.Results[i]
		x := b.functions[r.Func]
		if x != nil {
			r.Line = x.Line
		}
		if row.Measured && !r.exact(toolSurehook) {
			r.Cause = guess(*r, x)
		} else if !row.Measured {
			r.Cause = guess(*r, x) // still tells what was folded away
		}
	}
	return row
}

// ownOf finds surehook's line: by name and file, or by name alone when
// surehook does not say the file.
func ownOf(own map[function]*ours, f function) *ours {
	if o := own[f]; o != nil {
		return o
	}
	return own[function{Name: f.Name}]
}

// share is what one tool got right in one row.
type share struct {
	exact   int
	total   int
	folded  int     // functions without any code, exact for nobody
	recall  float64 // executions counted of those there were
	over    float64 // executions counted beyond
	refused int     // probes that were not attached
}

// percent is the share of functions counted exactly.
func (s share) percent() float64 { return ratio(s.exact, s.total) }

// unfolded is the share without the functions the compiler folded away.
func (s share) unfolded() float64 { return ratio(s.exact, s.total-s.folded) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return 100 * float64(a) / float64(b)
}

// of sums up a tool's results.
func (row Row) of(tool string) share {
	var s share
	var hit, over, truth uint64
	for _, r := range row.Results {
		n := r.Counts[tool]
		s.total++
		if r.exact(tool) {
			s.exact++
		}
		if r.Cause == causeFolded {
			s.folded++
		}
		s.refused += r.Refused[tool]
		truth += r.Truth
		hit += min(n, r.Truth)
		over += n - min(n, r.Truth)
	}
	if truth > 0 {
		s.recall = float64(hit) / float64(truth)
		s.over = float64(over) / float64(truth)
	}
	return s
}

// soundness counts promises against outcomes.
type soundness struct {
	completeExact int // promised and kept
	completeWrong int // promised and broken: the one thing that must not be
	warnedExact   int // exact, but less was promised
	warnedWrong   int // wrong, and said so
	absent        int // no line at all
}

func (row Row) soundness() soundness {
	var s soundness
	for _, r := range row.Results {
		switch exact := r.exact(toolSurehook); {
		case r.Verdict == verdictAbsent:
			s.absent++
		case r.complete() && exact:
			s.completeExact++
		case r.complete():
			s.completeWrong++
		case exact:
			s.warnedExact++
		default:
			s.warnedWrong++
		}
	}
	return s
}

// Failures are the reasons to fail the run: a row below perf, a promise
// broken.
func (row Row) Failures() []string {
	if !row.Measured {
		return nil
	}
	var out []string
	name := row.Program + " " + row.Build + " " + row.Oracle
	if own, perf := row.of(toolSurehook), row.of(toolPerf); own.exact < perf.exact {
		out = append(out, name+": "+itoa(own.exact)+" functions exact, perf probe "+itoa(perf.exact))
	}
	for _, r := range row.Results {
		if r.complete() && !r.exact(toolSurehook) {
			out = append(out, name+": "+r.Func.String()+" is called complete, but counted "+utoa(r.Counts[toolSurehook])+" of "+utoa(r.Truth))
		}
	}
	return out
}

// wrong are the functions that are not exact, worst broken promise first,
// then by distance from the truth.
func (row Row) wrong() []Result {
	var list []Result
	for _, r := range row.Results {
		if !r.exact(toolSurehook) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b Result) int {
		if a.complete() != b.complete() {
			if a.complete() {
				return -1
			}
			return 1
		}
		return compareFunctions(a.Func, b.Func)
	})
	return list
}
