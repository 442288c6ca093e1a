package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/kernel"
)

type factsObject struct {
	Schema      string             `json:"schema"`
	Kernel      string             `json:"kernel"`
	Name        string             `json:"name"`
	Function    *functionObject    `json:"function"`
	Tracepoints []tracepointObject `json:"tracepoints"`
	Raw         []signatureObject  `json:"rawtracepoints"`
	LSM         []signatureObject  `json:"lsm"`
	Types       []string           `json:"types"`
	Kfunc       bool               `json:"kfunc"`
}

type functionObject struct {
	Class      string         `json:"class"`
	Inlining   string         `json:"inlining_unknown"` // why, "" if it is known
	Signatures []string       `json:"signatures"`
	Declared   []string       `json:"declared"`
	Symbols    []symbolObject `json:"symbols"`
	Copies     []copyObject   `json:"copies"`
	Plan       judgement      `json:"plan"`
	Callers    []string       `json:"callers"`
	BTF        string         `json:"btf"`
}

type symbolObject struct {
	Name      string `json:"name"`
	Address   hex    `json:"address"`
	Size      uint64 `json:"size"`
	Module    string `json:"module"`
	Traceable string `json:"traceable"`
	Refused   string `json:"refused"`
}

type copyObject struct {
	Caller    string  `json:"caller"`
	Offset    hex     `json:"offset"`
	Module    string  `json:"module"`
	Condition *string `json:"condition"`
	Times     int     `json:"times"`
}

type tracepointObject struct {
	System string        `json:"system"`
	Name   string        `json:"name"`
	Module string        `json:"module"`
	Fields []fieldObject `json:"fields"`
}

type fieldObject struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Offset uint64 `json:"offset"`
	Size   uint64 `json:"size"`
}

type signatureObject struct {
	Name       string  `json:"name"`
	Module     string  `json:"module"`
	Signature  *string `json:"signature"`
	Attachable string  `json:"attachable,omitempty"`
}

func newFactsObject(f *Facts) factsObject {
	o := factsObject{
		Schema: FactsSchema, Kernel: f.Kernel.Identity().Name, Name: f.Name, Tracepoints: []tracepointObject{},
		Raw: []signatureObject{}, LSM: []signatureObject{}, Types: []string{}, Kfunc: f.Kfunc,
	}
	if f.Function != nil {
		o.Function = newFunctionObject(f)
	}
	for _, t := range f.Tracepoints {
		e := tracepointObject{System: t.System, Name: t.Name, Module: t.Module, Fields: []fieldObject{}}
		for _, d := range t.Fields {
			e.Fields = append(e.Fields, fieldObject{d.Name, d.Type, d.Offset, d.Size})
		}
		o.Tracepoints = append(o.Tracepoints, e)
	}
	for _, r := range f.Raw {
		s := signatureObject{Name: r.Name, Module: r.Module}
		if f.Kernel.Missing(kernel.RawArgs) == "" {
			s.Signature = optional(kernel.Proto{Params: r.Params, Result: "0"}.C(r.Name))
		}
		o.Raw = append(o.Raw, s)
	}
	for _, h := range f.Hooks {
		o.LSM = append(o.LSM, signatureObject{Name: h.Name, Signature: optional(h.Proto.C(h.Name)), Attachable: h.Attachable.String()})
	}
	for _, d := range f.Definitions {
		o.Types = append(o.Types, d.C())
	}
	return o
}

func newFunctionObject(facts *Facts) *functionObject {
	f := facts.Function
	o := &functionObject{
		Class: f.Class().String(), Inlining: facts.Kernel.Missing(kernel.Inlining), Signatures: []string{}, Declared: list(f.Sources),
		Symbols: []symbolObject{}, Copies: []copyObject{}, Plan: newJudgement(f.Plan), Callers: list(callerNames(facts.Callers)), BTF: f.BTF.String(),
	}
	for _, p := range f.Protos {
		o.Signatures = append(o.Signatures, p.C(f.Name))
	}
	for _, s := range f.Symbols {
		o.Symbols = append(o.Symbols, symbolObject{s.Name, hex(s.Address), s.Size, s.Module, s.Traceable.String(), s.Refused.String()})
	}
	for _, c := range f.Copies {
		y := copyObject{Caller: c.Caller, Offset: hex(c.Offset), Module: c.Module, Times: c.Times}
		if c.Cond.Op != flow.Always {
			y.Condition = optional(c.Cond.String())
		}
		o.Copies = append(o.Copies, y)
	}
	return o
}

type changeObject struct {
	Schema string         `json:"schema"`
	Kind   kernel.Subject `json:"kind"`
	Name   string         `json:"name"`
	What   string         `json:"what"`
	Was    *string        `json:"was"`
	Is     *string        `json:"is"`
}

// maxChanges is how many changes of a kind are shown as text without --full.
const maxChanges = 50

// KernelDiff writes what differs between two kernels.
func KernelDiff(w io.Writer, f Format, a, b kernel.Kernel, changes []kernel.Change, full bool) error {
	if f == JSON {
		for _, c := range changes {
			if err := line(w, changeObject{ChangeSchema, c.Kind, c.Name, c.What, optional(c.Was), optional(c.Is)}); err != nil {
				return err
			}
		}
		return nil
	}
	return buffered(w, func(out *bufio.Writer) {
		fmt.Fprintf(out, "%s -> %s: %s\n", a.Identity().Name, b.Identity().Name, plural(len(changes), "change"))
		for t := range kernel.NumTopics {
			for _, k := range []kernel.Kernel{a, b} {
				if why := k.Missing(t); why != "" {
					fmt.Fprintf(out, "  %s\n", wrap(fmt.Sprintf("not compared: %s: %s: %s", t, k.Identity().Name, why), width-2, "    "))
				}
			}
		}
		shown := map[kernel.Subject]int{}
		for _, c := range changes {
			shown[c.Kind]++
			if shown[c.Kind] <= maxChanges || full {
				changeText(out, c)
			}
		}
		for _, kind := range []kernel.Subject{kernel.OfFunction, kernel.OfTracepoint, kernel.OfRaw, kernel.OfLSM, kernel.OfKfunc, kernel.OfType, kernel.OfConfig} {
			if n := shown[kind]; n > maxChanges && !full {
				fmt.Fprintf(out, "and %d more of kind %s; --full shows all, names restrict it\n", n-maxChanges, kind)
			}
		}
	})
}

func changeText(out *bufio.Writer, c kernel.Change) {
	switch {
	case c.Was == "":
		fmt.Fprintf(out, "+ %s %s\n", c.Kind, wrap(c.Name+": "+c.Is, width, "    "))
	case c.Is == "":
		fmt.Fprintf(out, "- %s %s\n", c.Kind, wrap(c.Name+": "+c.Was, width, "    "))
	default:
		fmt.Fprintf(out, "~ %s %s%s\n    was %s\n    is  %s\n", c.Kind, c.Name, spaced(c.What), wrap(c.Was, width-8, "        "), wrap(c.Is, width-8, "        "))
	}
}

func spaced(what string) string {
	if what == "" {
		return ""
	}
	return ", " + what
}
