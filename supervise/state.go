//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"slices"
)

// State is everything as it is now.
func (s *Supervisor) State() (State, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	st := State{
		Gaps: s.stats.gaps, GapTime: s.stats.gapTime, Attached: s.stats.attached, Held: s.stats.held,
		Latencies: slices.Clone(s.stats.latencies), Way: "inotify",
	}
	if s.gate != nil {
		st.Way, st.Overdue = "fanotify", s.gate.Overdue()
	}
	var ids []ID
	for id := range s.hooks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		h, err := s.hookState(s.hooks[id])
		if err != nil {
			return State{}, err
		}
		st.Hooks = append(st.Hooks, h)
	}
	return st, nil
}

func (s *Supervisor) hookState(k *hooked) (Hook, error) {
	h := Hook{ID: k.id, Hook: k.hook, Executions: k.executions, Undecided: k.undecided, Replaced: k.replaced}
	builds := map[int]*build{}
	for _, b := range s.builds {
		for _, set := range b.sets {
			builds[set.build] = b
		}
	}
	for _, r := range k.refs {
		counts, err := r.set.counts()
		if err != nil {
			return Hook{}, err
		}
		b := builds[r.set.build]
		v := Build{Number: r.set.build}
		if b != nil {
			v.Path, v.BuildID, v.Since, v.Plan, v.Current = b.path, b.buildID, b.since, k.judge(b), k.leadsTo(b)
		}
		for _, i := range r.results {
			v.Executions += counts[i].Executions
			v.Undecided += counts[i].Undecided
			v.Sites += len(counts[i].Result.Sites)
			v.Failed += counts[i].Failed
		}
		v.Executions -= r.executions
		v.Undecided -= r.undecided
		h.Executions += v.Executions
		h.Undecided += v.Undecided
		h.Builds = append(h.Builds, v)
	}
	slices.SortFunc(h.Builds, func(a, b Build) int { return a.Number - b.Number })
	for i := range h.Builds {
		b := &h.Builds[i]
		if b.Current && (h.Current == nil || k.watch.current != nil && k.watch.current.number == b.Number) {
			h.Current = b
		}
	}
	for _, w := range k.others {
		if w.current != nil {
			h.Containers++
		}
	}
	if h.Current == nil {
		h.Waiting = k.watch.why()
	}
	return h, nil
}

// leadsTo tells whether one of the hook's paths leads to a build.
func (k *hooked) leadsTo(b *build) bool {
	return slices.ContainsFunc(k.watches(), func(w *watch) bool { return w.current == b })
}

// why says why a watch has no build.
func (w *watch) why() error {
	switch {
	case w.missing != "":
		return errors.New(w.missing)
	case w.badErr != nil:
		return w.badErr
	}
	return errors.New(w.path + " is being written")
}
