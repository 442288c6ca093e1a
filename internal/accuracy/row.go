package accuracy

import "cmp"

// Row is one line of the headline table with everything behind it.
type Row struct {
	Program  string   `json:"program"`
	Build    string   `json:"build"`
	Oracle   string   `json:"oracle"`
	Arch     string   `json:"arch"`    // of the binary, as Debian calls it
	LTO      bool     `json:"lto"`     // optimised across files
	Alone    bool     `json:"alone"`   // no other tool was asked
	Seconds  float64  `json:"seconds"` // of surehook's runs
	Results  []Result `json:"results"` // every function executed, by file and name
	Noise    []noise  `json:"noise"`
	Measured bool     `json:"measured"` // surehook was run
}

// name names the row for people.
func (row Row) name() string { return row.label() + " " + row.Oracle }

// label names the measured build. amd64 is not said.
func (row Row) label() string {
	if row.Arch == "" || row.Arch == archAMD64 {
		return row.Program + " " + row.Build
	}
	return row.Program + " " + row.Arch + " " + row.Build
}

// The architectures, as Debian calls them.
const (
	archAMD64 = "amd64"
	archARM64 = "arm64"
)

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
	File    string            `json:"file"` // base name, of the declaration
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

// place is where the function is declared.
func (r Result) place() string {
	return cmp.Or(r.File, r.Func.File, "?") + ":" + itoa(r.Line)
}

// complete tells whether surehook promised that every execution is counted.
func (r Result) complete() bool { return r.Verdict == "complete" }

// newRow puts a truth, the peers' counts and surehook's into a row that has
// only its names. own is nil when surehook was not run.
func newRow(row Row, t truth, peers []peerCount, own map[function]*ours, b *image) Row {
	row.Noise, row.Measured = t.Noise, own != nil
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
			r.File, r.Line = x.File, x.Line
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
// surehook does not say the file. It says that of the definition; the harness
// goes by the declaration, which C++ may have in another: so the name alone
// will do where only one function has it.
func ownOf(own map[function]*ours, f function) *ours {
	if o := own[f]; o != nil {
		return o
	}
	if o := own[function{Name: f.Name}]; o != nil {
		return o
	}
	var found *ours
	for k, o := range own {
		if k.Name == f.Name {
			if found != nil {
				return nil
			}
			found = o
		}
	}
	return found
}
