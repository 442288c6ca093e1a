package misses

import (
	"encoding/json"
	"io"
	"time"
)

// The schemas of the JSON contract (docs/json.md).
const (
	Schema     = "surehook.misses/1"
	TestSchema = "surehook.selftest/1"
)

// WriteJSON writes a line for each program. rates and reasons may be empty.
func WriteJSON(w io.Writer, s *Sample, rates map[uint32]Rate, reasons []Reason) error {
	e := json.NewEncoder(w)
	for i := range s.Programs {
		l := line(s.Time, &s.Programs[i], rates)
		for _, r := range reasons {
			if r.Program == l.ID {
				l.Causes, l.Instead = causes(r), r.Instead
			}
		}
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// programLine is surehook.misses/1.
type programLine struct {
	Schema string    `json:"schema"`
	Time   time.Time `json:"time"`
	ID     uint32    `json:"id"`
	Name   string    `json:"name"`
	Type   string    `json:"type"`
	Hooks  []Hook    `json:"hooks"`
	Owners []string  `json:"owners"`
	Runs   *uint64   `json:"runs"`
	Attach Count     `json:"attach"`
	Self   *uint64   `json:"recursion_misses"`
	Total  Count     `json:"missed"`
	Rate   *float64  `json:"missed_per_second"`
	// With --why:
	Causes  []Cause `json:"causes,omitempty"`
	Instead string  `json:"instead,omitempty"`
}

// causes has no array that is null.
func causes(r Reason) []Cause {
	out := make([]Cause, len(r.Causes))
	for i, c := range r.Causes {
		out[i] = Cause{c.Text, append([]string{}, c.Evidence...)}
	}
	return out
}

func line(at time.Time, p *Program, rates map[uint32]Rate) programLine {
	l := programLine{
		Schema: Schema, Time: at.UTC(), ID: p.ID, Name: p.Name, Type: string(p.Type), Hooks: []Hook{}, Owners: []string{},
		Attach: p.Attach, Total: p.Total,
	}
	for _, h := range p.Hooks {
		h.Places = append([]string{}, h.Places...)
		l.Hooks = append(l.Hooks, h)
	}
	l.Owners = append(l.Owners, p.Owners...)
	if p.Runs.NotKnown == "" {
		l.Runs = &p.Runs.N
	}
	if p.Self.NotKnown == "" {
		l.Self = &p.Self.N
	}
	if r := rates[p.ID]; r.Known {
		l.Rate = &r.Misses
	}
	return l
}

// trialLine is surehook.selftest/1.
type trialLine struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"`
	Hook   string `json:"hook"`
	Reason string `json:"reason"`
	*Trial
	Lost uint64 `json:"lost"`
}

// WriteTestJSON writes a line for each trial of the self-test, and for each
// kind that could not be tried.
func WriteTestJSON(w io.Writer, a *Abilities) error {
	e := json.NewEncoder(w)
	for _, k := range a.Kinds {
		l := trialLine{Schema: TestSchema, Kind: string(k.Kind), Hook: k.Hook, Reason: k.Reason}
		if len(k.Trials) == 0 {
			if err := e.Encode(l); err != nil {
				return err
			}
		}
		for i := range k.Trials {
			l.Trial, l.Lost = &k.Trials[i], k.Trials[i].Lost()
			if err := e.Encode(l); err != nil {
				return err
			}
		}
	}
	return nil
}
