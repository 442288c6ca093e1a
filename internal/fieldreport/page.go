package fieldreport

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/report"
)

// Section is a package's files, checked.
type Section struct {
	Name    string // of the package: "libbpf-tools of trixie, amd64"
	How     string // the commands that give the files
	Prefix  string // what stands before the names of files in commands
	Kernels []string
	Files   []report.CheckedFile
}

// Short is a kernel's name in tables.
func Short(name string) string {
	s := strings.TrimPrefix(name, "debian-")
	s = strings.Replace(s, "-cloud", "", 1)
	return strings.Replace(s, "+deb13", "", 1)
}

// Write writes a package's part of the page.
func (s *Section) Write(w io.Writer) {
	fmt.Fprintf(w, "\n## %s\n\n```\n%s\n```\n\n", s.Name, s.How)
	fmt.Fprintf(w, "| tool | programs |")
	for _, k := range s.Kernels {
		fmt.Fprintf(w, " %s |", Short(k))
	}
	fmt.Fprintf(w, "\n|---|---|%s\n", strings.Repeat("---|", len(s.Kernels)))
	fine := 0
	var claims [][]Claim
	for i := range s.Files {
		f := &s.Files[i]
		list, open := Claims(f)
		claims = append(claims, list)
		cells, trouble := s.cells(list, open)
		if !trouble {
			fine++
			continue
		}
		fmt.Fprintf(w, "| %s | %d | %s |\n", tool(f), len(f.Programs), strings.Join(cells, " | "))
	}
	fmt.Fprintf(w, "\n%d other files: nothing that is certain on any of these kernels.\n", fine)
	for i := range s.Files {
		s.claims(w, &s.Files[i], claims[i])
	}
}

func tool(f *report.CheckedFile) string {
	return f.File.Path[strings.LastIndexByte(f.File.Path, '/')+1:]
}

// cells gives the signs for each kernel, and whether there is any.
func (s *Section) cells(list []Claim, open map[string]string) (cells []string, trouble bool) {
	for _, k := range s.Kernels {
		sign := ""
		for _, c := range list {
			letter := map[Effect]string{Breaks: "B", Garbage: "G", Misses: "M"}[c.Effect]
			if slices.Contains(c.Kernels, k) && !strings.Contains(sign, letter) {
				sign += letter
			}
		}
		if !strings.Contains(sign, "B") {
			sign += open[k]
		}
		trouble = trouble || strings.Trim(sign, "l?") != ""
		if sign == "" {
			sign = "·"
		}
		cells = append(cells, sign)
	}
	return cells, trouble
}

// claims lists what is wrong with a file.
func (s *Section) claims(w io.Writer, f *report.CheckedFile, list []Claim) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### %s\n\n", tool(f))
	for _, c := range list {
		var kernels []string
		for _, k := range c.Kernels {
			kernels = append(kernels, Short(k))
		}
		programs := ""
		if len(c.Programs) > 0 && c.Programs[0] != "" {
			programs = " (" + strings.Join(c.Programs[:min(len(c.Programs), 4)], ", ")
			if len(c.Programs) > 4 {
				programs += fmt.Sprintf(" and %d more", len(c.Programs)-4)
			}
			programs += ")"
		}
		fmt.Fprintf(w, "- **%s**, %s, on %s: %s%s\n", c.Effect, c.Rule, strings.Join(kernels, ", "), text(c.Message), programs)
	}
	fmt.Fprintf(w, "\n  `surehook check --kernel %s %s%s`\n", strings.Join(kernelsOf(list, s.Kernels), ","), s.Prefix, tool(f))
}

// kernelsOf gives the kernels of all claims, in order. Findings about changes
// are made against the first that is asked for, so that always comes along.
func kernelsOf(list []Claim, all []string) []string {
	var out []string
	for i, k := range all {
		if i == 0 || slices.ContainsFunc(list, func(c Claim) bool { return slices.Contains(c.Kernels, k) }) {
			out = append(out, k)
		}
	}
	return out
}

// text is a message as Markdown shows it.
func text(s string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", "&lt;", "\n", " ").Replace(s)
}
