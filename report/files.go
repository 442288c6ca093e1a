package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
)

// CheckedFile is what check found in one file.
type CheckedFile struct {
	File     *bpfobj.File
	Programs []CheckedProgram // those of File
	Findings []check.Finding  // about the file or a program, not one of its hooks
}

// CheckedProgram is one program of a file with the answers for its hooks.
type CheckedProgram struct {
	Program  *bpfobj.Program
	OnFiles  []Checked
	OnKernel []OnKernels
}

type fileObject struct {
	Schema   string          `json:"schema"`
	File     string          `json:"file"`
	Kind     bpfobj.Kind     `json:"kind"`
	Programs []programObject `json:"programs"`
	Skipped  []skippedObject `json:"skipped"`
}

type programObject struct {
	Program  string   `json:"program"`
	Section  string   `json:"section"`
	Where    string   `json:"where"`
	Hooks    []string `json:"hooks"`
	NotKnown string   `json:"hook_not_known"` // why there are not all hooks, "" if there are
	Optional bool     `json:"optional"`

	Loader         []actObject `json:"loader"`
	LoaderNotKnown string      `json:"loader_not_known"` // why Loader is not all, "" if it is
}

// actObject is what an executable does with a program that it carries.
type actObject struct {
	Act    string `json:"act"`
	Target string `json:"target"`
	Where  string `json:"where"` // virtual address of the call
}

type skippedObject struct {
	What  string `json:"what"`
	Where string `json:"where"`
	Why   string `json:"why"`
}

// Files writes what check found in files: as JSON an object for each file,
// before the findings and verdicts of its hooks, which name file and program.
func Files(w io.Writer, f Format, kernels []string, files []CheckedFile, full bool) error {
	if f == JSON {
		for _, file := range files {
			if err := fileJSON(w, file); err != nil {
				return err
			}
		}
		return nil
	}
	return buffered(w, func(b *bufio.Writer) {
		if len(kernels) > 1 {
			legend(b, kernels)
		}
		for i, file := range files {
			if i > 0 || len(kernels) > 1 {
				b.WriteString("\n")
			}
			fileText(b, kernels, file, full)
		}
	})
}

func fileJSON(w io.Writer, file CheckedFile) error {
	o := fileObject{Schema: FileSchema, File: file.File.Path, Kind: file.File.Kind, Programs: []programObject{}, Skipped: []skippedObject{}}
	for _, p := range file.File.Programs {
		y := programObject{Program: p.Name, Section: p.Section, Where: p.Where, Hooks: []string{}, NotKnown: p.HookNotKnown, Optional: p.Optional, Loader: []actObject{}, LoaderNotKnown: p.LoaderNotKnown}
		for _, a := range p.Loader {
			y.Loader = append(y.Loader, actObject{a.Kind.String(), a.Target, fmt.Sprintf("%#x", a.Where)})
		}
		for _, h := range p.Hooks {
			y.Hooks = append(y.Hooks, h.String())
		}
		o.Programs = append(o.Programs, y)
	}
	for _, s := range file.File.Skipped {
		o.Skipped = append(o.Skipped, skippedObject{s.What, s.Where, s.Why})
	}
	if err := line(w, o); err != nil {
		return err
	}
	for _, f := range file.Findings {
		if err := line(w, newFinding(f)); err != nil {
			return err
		}
	}
	for _, p := range file.Programs {
		if err := findingsJSON(w, p.OnFiles); err != nil {
			return err
		}
		if err := fleetJSON(w, p.OnKernel); err != nil {
			return err
		}
	}
	return nil
}

func fileText(w *bufio.Writer, kernels []string, file CheckedFile, full bool) {
	fmt.Fprintf(w, "%s: %s, %s\n", file.File.Path, file.File.Kind, plural(len(file.File.Programs), "program"))
	for _, s := range file.File.Skipped {
		fmt.Fprintf(w, "  skipped %s\n", wrap(s.What+atPlace(s.Where)+": "+s.Why, width-10, "    "))
	}
	for _, f := range file.Findings {
		if f.Origin.Line > 0 {
			fmt.Fprintf(w, "\n  %s", placeOf(f.Origin))
		}
		findingText(w, f)
	}
	if len(kernels) > 1 {
		var hooks []OnKernels
		for _, p := range file.Programs {
			hooks = append(hooks, p.OnKernel...)
		}
		if len(hooks) > 0 {
			fleetRows(w, kernels, hooks)
		}
	}
	for _, p := range file.Programs {
		programText(w, kernels, p, full)
	}
}

func programText(w *bufio.Writer, kernels []string, p CheckedProgram, full bool) {
	fmt.Fprintf(w, "\n%s\n", wrap(p.Program.Name+atPlace(p.Program.Where), width, "  "))
	if why := p.Program.HookNotKnown; why != "" {
		fmt.Fprintf(w, "  hook not known: %s\n", wrap(why, width-18, "    "))
	}
	for _, h := range p.OnFiles {
		checkedText(w, h, full)
	}
	for _, h := range p.OnKernel {
		fleetHook(w, kernels, h, full)
	}
}

func (p CheckedProgram) origin(file string) check.Origin {
	return check.Origin{File: file, Program: p.Program.Name, Where: p.Program.Where}
}

func atPlace(where string) string {
	if where == "" {
		return ""
	}
	return " (" + where + ")"
}

// Worst is the worst severity of all findings in a file.
func (f CheckedFile) Worst() check.Severity {
	worst := check.Worst(f.Findings)
	for _, p := range f.Programs {
		for _, h := range p.OnFiles {
			worst = check.Worse(worst, check.Worst(h.Findings))
		}
		for _, h := range p.OnKernel {
			for _, r := range h.Results {
				worst = check.Worse(worst, check.Worst(r.Findings))
			}
		}
	}
	return worst
}
