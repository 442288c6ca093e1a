package demo

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

// width is the number of columns that no line passes, so that the demo can be
// pasted into a mail or a slide; commands to paste are never broken.
const width = 79

func (s *stage) printf(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}

func (s *stage) print(lines ...string) {
	for _, line := range lines {
		s.printf("%s\n", line)
	}
}

// verdicts prints both verdicts of a result with their reasons.
func (s *stage) verdicts(r *sites.Result) {
	s.judgement("plain probe", r.Plain)
	s.judgement("surehook", r.Plan)
}

func (s *stage) judgement(who string, j sites.Judgement) {
	const indent = 26
	head := fmt.Sprintf("  %-13s%-9s", who, j.Verdict)
	var texts []string
	for _, r := range j.Reasons {
		texts = append(texts, r.Text)
	}
	lines := wrap(strings.Join(texts, "; "), width-indent)
	for i, line := range lines {
		if i > 0 {
			head = ""
		}
		s.print(strings.TrimRight(fmt.Sprintf("%-*s%s", indent, head, line), " "))
	}
}

// sites prints where executions begin, with the source line of each caller,
// and how often each was hit if counts are given.
func (s *stage) sites(r *sites.Result, counts []tally.SiteHits) {
	for i := range r.Sites {
		site := &r.Sites[i]
		hits := ""
		if i < len(counts) {
			hits = fmt.Sprintf("%4d x ", counts[i].Hits.Hits)
		}
		place := site.Symbol
		if site.Offset != 0 {
			place += fmt.Sprintf("+%#x", site.Offset)
		}
		line := fmt.Sprintf("  %s%-8s %-15s", hits, site.Kind, place)
		if len(site.Callers) > 0 {
			c := site.Callers[0]
			code, _, _ := strings.Cut(sourceLine(c.File, c.Line), "/*")
			line += fmt.Sprintf(" %s:%d  %s", base(c.File), c.Line, code)
		}
		s.print(clip(strings.TrimRight(line, " ")))
	}
}

// quote prints lines of a source that contain one of the texts, numbered.
func (s *stage) quote(file string, texts ...string) {
	b, err := sources.ReadFile("src/" + file)
	if err != nil {
		return
	}
	for i, line := range strings.Split(string(b), "\n") {
		for _, t := range texts {
			if strings.Contains(line, t) {
				line = strings.ReplaceAll(line, "\t", "    ")
				s.print(clip(fmt.Sprintf("  %s:%-3d %s", base(file), i+1, line)))
				break
			}
		}
	}
}

func (s *stage) paste(r *sites.Result) {
	if s.deps.Paste == nil {
		return
	}
	if cmd := s.deps.Paste(r); cmd != "" {
		s.print("", "Instead of the plain probe, paste:", cmd)
	}
}

// run executes a program of the demo in its directory and gives the last line
// of its output: the truth, as the program counted it.
func (s *stage) run(command []string) (string, error) {
	cmd := exec.CommandContext(s.ctx, filepath.Join(s.dir, command[0]), command[1:]...)
	cmd.Dir = s.dir
	out, err := cmd.Output()
	if err != nil {
		var stderr string
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			stderr = ": " + strings.TrimSpace(string(exit.Stderr))
		}
		return "", fmt.Errorf("run %s: %w%s; the demo programs need glibc 2.34 or newer",
			strings.Join(command, " "), err, stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], nil
}

// truth reads "... was executed N times".
func truth(line string) (uint64, error) {
	_, rest, ok := strings.Cut(line, "was executed ")
	number, _, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 {
		return 0, fmt.Errorf("the demo program printed %q, not how often the function was executed", line)
	}
	return strconv.ParseUint(number, 10, 64)
}

func absolute(dir string) (string, error) { return filepath.Abs(dir) }

func base(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func clip(line string) string {
	if r := []rune(line); len(r) > width {
		return string(r[:width-3]) + "..."
	}
	return line
}

// wrap breaks text at blanks into lines of at most n characters, at least one.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > n {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
