package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/sites"
)

// Attached is a program that is loaded on this machine, with the answers for
// what it is attached to.
type Attached struct {
	ID        uint32
	Name      string
	Type      string
	Ways      []Way
	Owners    []Owner // of the program, its links and its perf events
	Pins      []string
	Functions []AttachedFunction // of files
	OnKernel  []OnKernels        // of the running kernel
	NotKnown  []string           // where else it may be attached, and why that is not known
}

// Way is one link, or a perf event.
type Way struct {
	Mechanism string `json:"mechanism"`
	Link      uint32 `json:"link"`        // 0 without one
	PID       uint32 `json:"only_in_pid"` // the only process it fires in; 0: all, or not told
}

// Owner is a process.
type Owner struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
}

// AttachedFunction is a function of a file that a program is attached to. The
// verdict Plain is that of what is attached.
type AttachedFunction struct {
	Checked
	Reasons []sites.Reason // why the verdict is what it is
	At      int            // places of the function where the program is
	Missed  []sites.Site   // places where it is not
}

// title is "program 12 (name)".
func (a *Attached) title() string {
	return fmt.Sprintf("program %d (%s)", a.ID, cmp.Or(a.Name, a.Type))
}

// owners says whose it is.
func (a *Attached) owners() string {
	var list []string
	for _, o := range a.Owners {
		list = append(list, fmt.Sprintf("%s[%d]", o.Comm, o.PID))
	}
	list = append(list, a.Pins...)
	if len(list) == 0 {
		return "no process and no pin: the kernel itself holds it"
	}
	return strings.Join(list, ", ")
}

// Origin says which program a finding is about.
func (a *Attached) Origin() check.Origin {
	return check.Origin{Program: a.title(), Where: "attached by " + a.owners()}
}

func attachedText(w *bufio.Writer, kernels []string, list []Attached, full bool) {
	if len(list) == 0 {
		w.WriteString("no tracing program is loaded on this machine\n")
	}
	for i := range list {
		a := &list[i]
		if i > 0 {
			w.WriteString("\n")
		}
		var ways []string
		for _, y := range a.Ways {
			text := y.Mechanism
			if y.Link > 0 {
				text += fmt.Sprintf(" %d", y.Link)
			}
			if y.PID > 0 {
				text += fmt.Sprintf(" in process %d only", y.PID)
			}
			ways = append(ways, text)
		}
		if len(ways) > maxNames && !full {
			ways = append(ways[:maxNames:maxNames], fmt.Sprintf("and %d more", len(ways)-maxNames))
		}
		fmt.Fprintf(w, "%s\n", wrap(fmt.Sprintf("%s, %s, of %s", a.title(), a.Type, a.owners()), width, "  "))
		if len(ways) > 0 {
			fmt.Fprintf(w, "  by %s\n", wrap(strings.Join(ways, ", "), width-5, "    "))
		}
		for _, why := range a.NotKnown {
			fmt.Fprintf(w, "  not known: %s\n", wrap(why, width-13, "    "))
		}
		for _, f := range a.Functions {
			functionAttached(w, f, full)
		}
		for _, h := range a.OnKernel {
			w.WriteString("\n")
			fleetHook(w, kernels, h, full)
		}
	}
}

func functionAttached(w *bufio.Writer, f AttachedFunction, full bool) {
	v := f.Verdict
	text := fmt.Sprintf("%s: attached at %d of %s: %s; %s", spelled(v.Hook), f.At, plural(f.At+len(f.Missed), "place"), v.Plain, totals(f.Findings))
	fmt.Fprintf(w, "\n%s\n", wrap(text, width, "  "))
	for _, r := range f.Reasons {
		fmt.Fprintf(w, "    %s\n", wrap(r.Text, width-4, "      "))
	}
	for i := range f.Missed {
		if i == maxNames && !full {
			fmt.Fprintf(w, "    and %d more: --full\n", len(f.Missed)-i)
			break
		}
		s := &f.Missed[i]
		fmt.Fprintf(w, "    not at %s\n", wrap(strings.TrimSpace(fmt.Sprintf("%#x %s %s  %s", s.Address, s.Kind, where(s), chain(s.Callers))), width-11, "      "))
	}
	for _, g := range f.Findings {
		findingText(w, g)
	}
}

type attachedObject struct {
	Schema    string           `json:"schema"`
	ID        uint32           `json:"id"`
	Name      string           `json:"name"`
	Type      string           `json:"type"`
	Program   string           `json:"program"` // as findings and verdicts name it
	Ways      []Way            `json:"ways"`
	Owners    []Owner          `json:"owners"`
	Pins      []string         `json:"pins"`
	Functions []functionPlaces `json:"functions"`
	Hooks     []string         `json:"hooks"` // of the kernel
	NotKnown  []string         `json:"not_known"`
}

// functionPlaces is a function of a file, and where the program is on it.
type functionPlaces struct {
	Hook    string         `json:"hook"`
	Verdict sites.Verdict  `json:"verdict"`
	Reasons []reasonObject `json:"reasons"`
	Places  int            `json:"places"`
	At      int            `json:"attached"`
	Missed  []siteObject   `json:"missed"`
}

func attachedJSON(w io.Writer, all []Attached) error {
	for i := range all {
		a := &all[i]
		o := attachedObject{
			Schema: AttachedSchema, ID: a.ID, Name: a.Name, Type: a.Type, Program: a.title(), Ways: list(a.Ways), Owners: list(a.Owners),
			Pins: list(a.Pins), Functions: []functionPlaces{}, Hooks: []string{}, NotKnown: list(a.NotKnown),
		}
		var checked []Checked
		for _, f := range a.Functions {
			p := functionPlaces{
				Hook: spelled(f.Verdict.Hook), Verdict: f.Verdict.Plain, Reasons: newJudgement(sites.Judgement{Reasons: f.Reasons}).Reasons,
				Places: f.At + len(f.Missed), At: f.At, Missed: []siteObject{},
			}
			for _, s := range f.Missed {
				p.Missed = append(p.Missed, newSiteObject(s))
			}
			o.Functions = append(o.Functions, p)
			checked = append(checked, f.Checked)
		}
		for _, h := range a.OnKernel {
			o.Hooks = append(o.Hooks, spelled(h.Hook))
		}
		if err := line(w, o); err != nil {
			return err
		}
		if err := findingsJSON(w, checked); err != nil {
			return err
		}
		if err := fleetJSON(w, a.OnKernel); err != nil {
			return err
		}
	}
	return nil
}
