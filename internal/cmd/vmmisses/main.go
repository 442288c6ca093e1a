//go:build linux && (amd64 || arm64)

// Command vmmisses makes probes nest and writes what became of them, and what
// package misses says of them meanwhile. It runs inside virtual machines of
// package missestruth.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/missestruth"
	"github.com/surehook/surehook/internal/nesting"
	"github.com/surehook/surehook/misses"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vmmisses:", err)
		os.Exit(1)
	}
}

func run() error {
	data, err := os.ReadFile(missestruth.AttemptsFile)
	if err != nil {
		return err
	}
	var list []missestruth.Attempt
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	a, err := misses.SelfTest()
	if err != nil {
		return err
	}
	if err := misses.WriteTest(os.Stdout, a); err != nil {
		return err
	}
	var out []missestruth.Tried
	for _, x := range list {
		t, err := try(a, x)
		if err == nil && t.Lost() > 0 && x.Reference != "" {
			err = control(a, &t)
		}
		if err != nil {
			return fmt.Errorf("%s in %s: %w", x.Inner, x.Outer, err)
		}
		out = append(out, t)
	}
	if data, err = json.Marshal(out); err != nil {
		return err
	}
	return os.WriteFile(missestruth.TriedFile, data, 0o644)
}

// control makes a nesting again with an outer program that does nothing.
func control(a *misses.Abilities, t *missestruth.Tried) error {
	x := t.Attempt
	x.Action = 0
	alone, err := try(a, x)
	t.Alone = alone.Lost()
	return err
}

// try makes one nesting.
func try(a *misses.Abilities, x missestruth.Attempt) (missestruth.Tried, error) {
	t := missestruth.Tried{Attempt: x}
	hooks, err := parse(x)
	if err != nil {
		return t, err
	}
	sampler := misses.NewSampler(a)
	said := func(_ nesting.Attached, inner []nesting.Attached) error {
		if len(inner) == 0 || inner[0].Hook != hooks[1] {
			return nil // it could not be attached
		}
		s, err := sampler.Read()
		if err != nil {
			return err
		}
		for _, p := range s.Programs {
			if p.ID == inner[0].Program {
				t.Said = p.Total
				return nil
			}
		}
		return fmt.Errorf("program %d is not listed", inner[0].Program)
	}
	o, err := nesting.Run(nesting.Trial{Outer: hooks[0], Inner: hooks[1:], Action: nesting.Action(x.Action), Calls: x.Calls, Look: said})
	var refused *nesting.AttachError
	switch {
	case errors.As(err, &refused):
		t.Refused = refused.Error()
		return t, nil
	case err != nil:
		return t, err
	}
	for _, p := range o.Inner {
		if p.Err != nil {
			t.Refused = fmt.Sprintf("%s: %s", p.Hook, nesting.Reason(p.Err))
			return t, nil
		}
	}
	in := o.Inner[0]
	t.Outside, t.Expected, t.Ran, t.Program = o.Outer.Ran, o.Outer.Ran, in.Ran, in.Recursion
	if x.Reference != "" {
		t.Expected = o.Inner[1].Ran
	}
	if in.Missed != nil {
		t.Link = *in.Missed
	}
	return t, nil
}

func parse(x missestruth.Attempt) ([]hook.Hook, error) {
	texts := []string{x.Outer, x.Inner}
	if x.Reference != "" {
		texts = append(texts, x.Reference)
	}
	var out []hook.Hook
	for _, text := range texts {
		h, err := hook.Parse(text)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}
