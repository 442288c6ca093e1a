package daemon

import (
	"errors"
	"fmt"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/supervise"
)

// entry is a hook of the configuration in force.
type entry struct {
	Hook
	found hook.Hook // with the absolute path of its file
	id    supervise.ID
}

// key tells whether two entries mean the same.
func (e entry) key() string {
	if e.Inside {
		return "containers " + e.found.String()
	}
	return e.found.String()
}

func (e entry) add(s supervisor) (supervise.ID, error) {
	if e.Inside {
		return s.AddInContainers(e.found)
	}
	return s.Add(e.found)
}

// take puts a configuration in force. Hooks that are in the one before stay as
// they are; on an error all do.
func (d *daemon) take(c *Config) error {
	found := make([]hook.Hook, len(c.Hooks))
	var failed []error
	for i, h := range c.Hooks {
		var err error
		if found[i], err = d.find(h.Hook); err != nil {
			failed = append(failed, c.at(h, err))
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	d.mu.Lock()
	old := d.entries
	d.mu.Unlock()
	kept := map[string]supervise.ID{}
	for _, e := range old {
		kept[e.key()] = e.id
	}
	var added []supervise.ID
	entries := make([]entry, 0, len(c.Hooks))
	for i, h := range c.Hooks {
		e := entry{Hook: h, found: found[i]}
		id, ok := kept[e.key()]
		if !ok {
			var err error
			if id, err = e.add(d.sup); err != nil {
				for _, id := range added {
					err = errors.Join(err, d.sup.Remove(id))
				}
				return c.at(h, err)
			}
			added = append(added, id)
			kept[e.key()] = id
		}
		e.id = id
		entries = append(entries, e)
	}
	stays := map[supervise.ID]bool{}
	for _, e := range entries {
		stays[e.id] = true
	}
	for _, e := range old {
		if stays[e.id] {
			continue
		}
		stays[e.id] = true
		if err := d.sup.Remove(e.id); err != nil {
			d.log.Error("a hook that the configuration no longer has", "hook", e.Name, "err", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries, d.config = entries, c
	d.reloads.Good++
	d.reloads.Last, d.reloads.Failed = time.Now(), ""
	d.log.Info("configuration taken", "hooks", len(entries), "new", len(added), "gone", len(old)+len(added)-len(stays))
	return nil
}

// at says where in the configuration an error is.
func (c *Config) at(h Hook, err error) error {
	if h.Line == 0 {
		return err
	}
	return &ConfigError{Path: c.Path, Line: h.Line, Column: h.Column, Reason: err.Error()}
}

// status puts together what the supervisor and the events tell.
func (d *daemon) status() (Status, error) {
	st, err := d.sup.State()
	if err != nil {
		return Status{}, fmt.Errorf("counters: %w", err)
	}
	byID := map[supervise.ID]supervise.Hook{}
	for _, h := range st.Hooks {
		byID[h.ID] = h
	}
	d.mu.Lock()
	entries, reloads, features := d.entries, d.reloads, d.features
	d.mu.Unlock()
	s := Status{Reloads: reloads, Features: append(d.history.features(), features...)}
	for _, e := range entries {
		h, ok := byID[e.id]
		if !ok {
			continue // a reload has just removed it
		}
		s.Hooks = append(s.Hooks, d.hookStatus(e, h))
	}
	return s, nil
}

func (d *daemon) hookStatus(e entry, h supervise.Hook) HookStatus {
	out := HookStatus{
		Name: e.Name, Hook: e.found.String(), Path: e.found.Target,
		Executions: h.Executions, Undecided: h.Undecided, Replaced: uint64(h.Replaced),
		Inside: e.Inside, Containers: h.Containers,
		// The kernel has no counter of what it skips of a uprobe.
		Misses: []Miss{{Layer: "attach"}},
	}
	if h.Waiting != nil {
		out.Waiting = h.Waiting.Error()
	}
	r := d.history.of(e.found.Target, e.Inside)
	out.Gap, out.Gaps, out.Findings = r.gap, r.gaps, r.list()
	at := map[string]int{}
	for _, b := range h.Builds {
		v := BuildStatus{
			ID: b.BuildID, Path: b.Path, Planned: b.Sites, Attached: b.Sites - b.Failed,
			Plan: string(b.Plan.Verdict), Retired: !b.Current, Executions: b.Executions,
		}
		if v.ID == "" {
			v.ID = fmt.Sprintf("none, build %d", b.Number)
		}
		// The same build may be in two files. It is one for whoever looks.
		if i, ok := at[v.ID]; ok {
			out.Builds[i].merge(v)
			continue
		}
		at[v.ID] = len(out.Builds)
		out.Builds = append(out.Builds, v)
	}
	return out
}

// merge adds another file with the same build.
func (b *BuildStatus) merge(o BuildStatus) {
	b.Executions += o.Executions
	if o.Planned-o.Attached > b.Planned-b.Attached { // the worse is what matters
		b.Planned, b.Attached = o.Planned, o.Attached
	}
	if !o.Retired {
		b.Path, b.Retired = o.Path, false
	}
}
