package demo

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

// inline tells how one symbol stands for three copies of a function.
func (s *stage) inline(e Example) error {
	s.print(
		"A program counts itself how often it executes add(). It is called here:", "")
	s.quote("inline/add.c", "add(total, i)", "add(n, n)")
	s.quote("inline/main.c", "add(total, ")
	s.print("",
		"Compiled with gcc -O0 every call reaches the symbol. gcc -O2 keeps the",
		"symbol, so that a probe attaches without a word, and copies the body into",
		"the callers of its own file.")
	for _, level := range []string{"O0", "O2"} {
		s.print("", "gcc -"+level)
		if err := s.prove(e.at(s.dir, "inline-"+level), nil); err != nil {
			return err
		}
	}
	return nil
}

// partial tells how one function is cut into a head and a tail.
func (s *stage) partial(e Example) error {
	s.print(
		"A resource allocator refuses bad sizes at once; only then comes the work:", "")
	s.quote("partial/pool.c", "void reserve(", "executions++", "if (blocks == 0", "fast path", "snprintf(")
	s.print("",
		"gcc -O2 inlines the test into the callers of its file, and makes the rest a",
		"function of its own, reserve.part.0. The symbol reserve sees callers from",
		"other files only; reserve.part.0 sees accepted sizes only.")
	e = e.at(s.dir, "partial-O2")
	s.print("", "gcc -O2")
	return s.prove(e, []string{e.Hook + ".part.0"})
}

// at makes the example trace a program that lies in dir.
func (e Example) at(dir, program string) Example {
	_, function, _ := cutLast(e.Hook, ":")
	e.Hook = fmt.Sprintf("uprobe:%s/%s:%s", dir, program, function)
	e.Command = append([]string{program}, e.Command[1:]...)
	return e
}

// prove shows the verdicts on the example's hook, runs its program with all
// probes attached, and sets what they saw against what the program counted.
// others are further hooks whose plain probe is shown beside.
func (s *stage) prove(e Example, others []string) error {
	r, err := s.analyse(e.Hook)
	if err != nil {
		return err
	}
	s.verdicts(r)
	results := []sites.Result{*r}
	for _, h := range others {
		other, err := s.analyse(h)
		if err != nil {
			return err
		}
		results = append(results, *other)
	}
	counts, executed, err := s.count(results, e.Command)
	if err != nil {
		return err
	}
	if counts == nil {
		s.sites(r, nil)
	} else {
		s.sites(r, counts[0].BySite)
		s.proof(e, counts, executed)
	}
	if r.Plain.Verdict != sites.Complete {
		s.paste(r)
	}
	return nil
}

// count runs the command with probes attached. No counts and no error means
// that attaching is not permitted.
func (s *stage) count(results []sites.Result, command []string) ([]tally.Count, uint64, error) {
	session, err := s.attach(results...)
	if session == nil || err != nil {
		return nil, 0, err
	}
	executed, err := s.execute(command)
	if err != nil {
		session.Close()
		return nil, 0, err
	}
	counts, err := session.Counts()
	if err != nil {
		session.Close()
		return nil, 0, err
	}
	return counts, executed, session.Close()
}

// execute runs the command and gives the executions that it counted itself.
func (s *stage) execute(command []string) (uint64, error) {
	line, err := s.run(command)
	if err != nil {
		return 0, err
	}
	return truth(line)
}

func (s *stage) proof(e Example, counts []tally.Count, executed uint64) {
	s.printf("  run: ./%s says that %s was executed %d times\n",
		strings.Join(e.Command, " "), counts[0].Result.Function, executed)
	saw(s, "plain probe", counts[0], executed, counts[0].Plain)
	for _, c := range counts[1:] {
		saw(s, "probe on "+c.Result.Hook.Function, c, executed, c.Plain)
	}
	saw(s, "surehook", counts[0], executed, counts[0].Executions)
}

func saw(s *stage, who string, c tally.Count, executed, seen uint64) {
	if who != "surehook" && !c.PlainKnown {
		s.printf("  %s cannot be attached: saw 0 of %d executions\n", who, executed)
		return
	}
	s.printf("  %s saw %d of %d executions\n", who, seen, executed)
}

func cutLast(text, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, "", false
}
