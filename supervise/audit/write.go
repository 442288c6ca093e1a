package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/surehook/surehook/report"
)

// Schema names the JSON contract (docs/json.md).
const Schema = "surehook.audit/1"

type object struct {
	Schema    string          `json:"schema"`
	Program   uint32          `json:"program"`
	Name      string          `json:"name"`
	Mechanism string          `json:"mechanism"`
	Link      uint32          `json:"link"`
	OnlyInPID uint32          `json:"only_in_pid"`
	Owners    []processObject `json:"owners"`
	Pins      []string        `json:"pins"`
	Kind      string          `json:"kind"`
	Path      string          `json:"path"`
	Offsets   []string        `json:"offsets"`
	State     State           `json:"state"`
	Why       string          `json:"why"`
	Followed  bool            `json:"followed"`
	Without   []processObject `json:"without"`
	Old       []processObject `json:"old"`
	Unread    []processObject `json:"unread"`
	Mount     *string         `json:"mount"`
	Rule      *string         `json:"rule"`
}

type processObject struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
}

// Write writes the probes, as JSON one a line.
func Write(w io.Writer, f report.Format, probes []Probe) error {
	var b strings.Builder
	switch {
	case f == report.JSON:
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		for i := range probes {
			if err := e.Encode(probes[i].object()); err != nil {
				return err
			}
		}
	case len(probes) == 0:
		b.WriteString("no uprobe of a BPF program is attached on this machine\n")
	default:
		for i := range probes {
			probes[i].text(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Probe) object() object {
	o := object{
		Schema: Schema, Program: p.Attachment.Program, Mechanism: string(p.Attachment.Mechanism), Link: p.Attachment.Link,
		OnlyInPID: p.Attachment.PID, Owners: []processObject{}, Pins: append([]string{}, p.Attachment.Pins...), Kind: string(p.Kind), Path: p.File.Path,
		State: p.State, Why: p.Why, Followed: p.Followed, Without: objects(p.Without), Old: objects(p.Old), Unread: objects(p.Unread),
	}
	if p.Program != nil {
		o.Name = p.Program.Name
	}
	for _, x := range p.Attachment.Owners {
		o.Owners = append(o.Owners, processObject{x.PID, x.Comm})
	}
	for _, x := range p.Offsets {
		o.Offsets = append(o.Offsets, fmt.Sprintf("%#x", x))
	}
	if p.Mount != "" {
		o.Mount = &p.Mount
	}
	if f, ok := p.Finding(); ok {
		code := string(f.Rule)
		o.Rule = &code
	}
	return o
}

func objects(list []Process) []processObject {
	out := []processObject{}
	for _, p := range list {
		out = append(out, processObject(p))
	}
	return out
}

// shownOffsets is how many places a line has: glob hooks have thousands.
const shownOffsets = 4

func (p *Probe) text(b *strings.Builder) {
	name := ""
	if p.Program != nil {
		name = p.Program.Name
	}
	fmt.Fprintf(b, "%s:%s at %s", p.Kind, report.Visible(p.File.Path), hex(p.Offsets[:min(shownOffsets, len(p.Offsets))]))
	if more := len(p.Offsets) - shownOffsets; more > 0 {
		fmt.Fprintf(b, " and %d more", more)
	}
	fmt.Fprintf(b, "\n  program %d (%s), %s, of %s\n", p.Attachment.Program, report.Visible(cmp.Or(name, "no name")), p.Attachment.Mechanism, p.owners())
	if f, ok := p.Finding(); ok {
		fmt.Fprintf(b, "  %s %s  %s\n", f.Severity, f.Rule, report.Visible(f.Message))
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "    %s\n", report.Visible(e))
		}
		if f.Remedy != "" {
			fmt.Fprintf(b, "    %s\n", f.Remedy)
		}
	} else {
		why := p.Why
		if p.Followed {
			why += "; the same process has the probe on the file that is there now"
		}
		fmt.Fprintf(b, "  %s: %s\n", p.State, report.Visible(why))
	}
	if n := len(p.Unread); n > 0 {
		fmt.Fprintf(b, "  not known of %d processes whether they have it: their memory cannot be read\n", n)
	}
}

func (p *Probe) owners() string {
	var list []string
	for _, o := range p.Attachment.Owners {
		list = append(list, fmt.Sprintf("%s[%d]", report.Visible(o.Comm), o.PID))
	}
	for _, pin := range p.Attachment.Pins {
		list = append(list, report.Visible(pin))
	}
	if len(list) == 0 {
		return "no process and no pin that could be seen"
	}
	return strings.Join(list, ", ")
}
