//go:build linux && (amd64 || arm64)

package supervise

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
)

// total is what was counted.
type total struct{ Executions, Undecided uint64 }

// claimed is a hook that counts in a set, and what the set had counted before.
type claimed struct {
	Path, Spec string
	Before     total
}

// key is that of a hook in totals.
func (k *hooked) key() string { return k.place() + "\x00" + k.spec }

// place is where the hook counts: what is counted in containers too is another one.
func (k *hooked) place() string {
	if k.inside {
		return "containers:" + k.watch.path
	}
	return k.watch.path
}

// record is what the next process must know of a set.
type record struct {
	Name    string
	Build   int
	Path    string
	BuildID string
	File    unix.FileID
	Size    uint64
	Written time.Time
	Since   time.Time
	Specs   map[string][]int
	Results []sites.Result // as much of them as counting needs
	Claims  []claimed
}

// ledger is what was counted by probes that are off.
type ledger struct {
	Totals map[string]total
	// Settled are the sets whose counts are in it: should they be there still,
	// they must not be added again.
	Settled []string
	// Dirs are directories where files of a path were, by path.
	Dirs map[string][]string
}

const (
	recordSuffix = ".set.json"
	ledgerName   = "totals.json"
	halfSuffix   = ".new" // until it is written
)

func (s *Supervisor) file(name string) string { return filepath.Join(s.opts.Keep.Records, name) }

// record writes a set down.
func (s *Supervisor) record(b *build, t *set) {
	if t.name == "" {
		return
	}
	r := record{
		Name: t.name, Build: t.build, Path: b.path, BuildID: b.buildID, File: b.id, Size: b.info.Size, Written: b.info.Written,
		Since: time.Now(), Specs: t.specs, Results: brief(t.results), Claims: t.claims,
	}
	if err := s.write(t.name+recordSuffix, r); err != nil {
		s.finding(NotKept, b.path, b, err)
	}
}

// brief leaves out what counting does not need.
func brief(results []sites.Result) []sites.Result {
	list := make([]sites.Result, len(results))
	for i, r := range results {
		list[i] = sites.Result{Hook: r.Hook, Function: r.Function, Target: r.Target, Sites: r.Sites, Plan: r.Plan}
	}
	return list
}

// write replaces a file as a whole.
func (s *Supervisor) write(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := s.file(name + halfSuffix)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, s.file(name))
}

// erase removes the record of a set.
func (s *Supervisor) erase(t *set) {
	if t.name == "" {
		return
	}
	if err := os.Remove(s.file(t.name + recordSuffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("removing a record", "err", err)
	}
}

// saveTotals writes down what was counted, before sets are freed.
func (s *Supervisor) saveTotals(settled []*set) error {
	if s.opts.Keep == nil {
		return nil
	}
	l := ledger{Totals: s.totals, Dirs: s.places}
	for _, t := range settled {
		l.Settled = append(l.Settled, t.name)
	}
	return s.write(ledgerName, l)
}

// place notes a directory where the watch's file may be.
func (s *Supervisor) place(w *watch, dir string) {
	if s.opts.Keep == nil || w.inside() || slices.Contains(s.places[w.path], dir) {
		return
	}
	list := append(s.places[w.path], dir)
	s.places[w.path] = list[max(0, len(list)-maxDirs):]
	if err := s.saveTotals(nil); err != nil {
		s.log.Warn("writing totals", "err", err)
	}
}

// claim gives a hook what was counted for it before it was added.
func (s *Supervisor) claim(k *hooked) {
	if s.opts.Keep == nil {
		return
	}
	t, was := s.totals[k.key()]
	k.executions, k.undecided = t.Executions, t.Undecided
	k.watch.restored = k.watch.restored || was
	for _, b := range s.builds {
		for _, set := range b.sets {
			for _, c := range set.claims {
				if !set.closed && c.Path == k.place() && c.Spec == k.spec {
					k.refs = append(k.refs, &ref{set, set.specs[k.spec], c.Before.Executions, c.Before.Undecided})
					if !k.inside || pidOf(b.path) == 0 { // else it is not what the path leads to here
						b.owners[k.watch] = true
					}
					k.watch.restored = true
				}
			}
		}
	}
}

// renounce forgets what was counted for a hook.
func (s *Supervisor) renounce(k *hooked) {
	if s.opts.Keep == nil {
		return
	}
	delete(s.totals, k.key())
	for _, b := range s.builds {
		for _, set := range b.sets {
			kept := set.claims[:0]
			for _, c := range set.claims {
				if c.Path != k.place() || c.Spec != k.spec {
					kept = append(kept, c)
				}
			}
			if len(kept) < len(set.claims) {
				set.claims = kept
				s.record(b, set)
			}
		}
	}
	if err := s.saveTotals(nil); err != nil {
		s.log.Warn("writing totals", "err", err)
	}
}

func load(file string, v any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
