//go:build linux && (amd64 || arm64)

package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise/internal/mapped"
)

// total is what was counted.
type total struct{ Executions, Undecided uint64 }

// claimed is a hook that counts in a set, and what the set had counted before.
type claimed struct {
	Path, Spec string
	Before     total
}

// key is that of a hook in totals.
func (k *hooked) key() string { return k.watch.path + "\x00" + k.spec }

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
}

const (
	recordSuffix = ".set.json"
	ledgerName   = "totals.json"
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
	tmp := s.file(name + ".new")
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
	l := ledger{Totals: s.totals}
	for _, t := range settled {
		l.Settled = append(l.Settled, t.name)
	}
	return s.write(ledgerName, l)
}

// claim gives a hook what was counted for it before it was added.
func (s *Supervisor) claim(k *hooked) {
	if s.opts.Keep == nil {
		return
	}
	t := s.totals[k.key()]
	k.executions, k.undecided = t.Executions, t.Undecided
	for _, b := range s.builds {
		for _, set := range b.sets {
			for _, c := range set.claims {
				if !set.closed && c.Path == k.watch.path && c.Spec == k.spec {
					k.refs = append(k.refs, &ref{set, set.specs[k.spec], c.Before.Executions, c.Before.Undecided})
					b.owners[k.watch] = true
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
				if c.Path != k.watch.path || c.Spec != k.spec {
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

// restore takes over what another process has left.
func (s *Supervisor) restore() error {
	if err := os.MkdirAll(s.opts.Keep.Records, 0o700); err != nil {
		return err
	}
	var l ledger
	if err := load(s.file(ledgerName), &l); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if l.Totals != nil {
		s.totals = l.Totals
	}
	settled := map[string]bool{}
	for _, name := range l.Settled {
		settled[name] = true
	}
	files, err := filepath.Glob(s.file("*" + recordSuffix))
	if err != nil {
		return err
	}
	for _, f := range files {
		var r record
		err := load(f, &r)
		if err == nil && !settled[r.Name] {
			err = s.adopt(r)
		} else if err == nil {
			err = os.Remove(f)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	for _, left := range s.base.Left() { // of no record: never in use
		if err := s.base.Abandon(left.Name); err != nil {
			return err
		}
	}
	return nil
}

func load(file string, v any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// adopt takes over one set, if what it is on can be found.
func (s *Supervisor) adopt(r record) error {
	s.number = max(s.number, r.Build)
	t := &set{name: r.Name, claims: r.Claims, build: r.Build, results: r.Results, specs: r.Specs, failed: map[int]error{}}
	for spec, list := range r.Specs {
		for _, i := range list {
			if i < 0 || i >= len(r.Results) {
				return fmt.Errorf("%s: no result %d", spec, i)
			}
		}
	}
	t.tally = tally.New(t.results, tally.Options{NoPlain: true})
	plans := t.tally.Plans()
	if len(plans) != 1 {
		s.erase(t)
		return nil
	}
	whole := false
	for _, left := range s.base.Left() {
		whole = whole || left.Name == r.Name && left.Whole
	}
	var err error
	t.session, err = s.base.Adopt(r.Name, r.Path, plans[0].Probes)
	if errors.Is(err, attach.ErrUnknown) { // the machine has been restarted
		s.erase(t)
		return nil
	}
	if err != nil {
		return err
	}
	b := s.builds[r.File]
	if b == nil {
		b = &build{
			number: r.Build, id: r.File, path: r.Path, buildID: r.BuildID, since: r.Since,
			watches: map[*watch]bool{}, owners: map[*watch]bool{}, restored: true,
		}
		b.file = s.reopen(r)
	}
	if b.file == nil || !whole || b.number != r.Build {
		return s.settleLeft(t)
	}
	b.sets = append(b.sets, t)
	if b.info, err = unix.Stat(b.file); err != nil {
		return err
	}
	if !b.leased {
		b.leased = unix.Lease(b.file) == nil
	}
	s.builds[b.id] = b
	return nil
}

// reopen finds the file of a record as it was: at its path, or in a process that
// has it mapped. nil: it is another one, or nobody has it.
func (s *Supervisor) reopen(r record) *os.File {
	places := []string{r.Path}
	users, err := mapped.Find([]mapped.File{{ID: r.File, Base: filepath.Base(r.Path)}}, false)
	if err == nil {
		for _, u := range users[0] {
			places = append(places, fmt.Sprintf("/proc/%d/map_files/%x-%x", u.PID, u.Areas[0].Start, u.Areas[0].End))
		}
	}
	for _, p := range places {
		if f := s.reopenAt(p, r); f != nil {
			return f
		}
	}
	return nil
}

func (s *Supervisor) reopenAt(path string, r record) *os.File {
	f, err := unix.FollowPath(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	file := s.real(newWatch(r.Path), f)
	if file != f {
		defer file.Close()
	}
	info, err := unix.Stat(file)
	if err != nil || info.FileID != r.File || info.Size != r.Size || !info.Written.Equal(r.Written) {
		return nil
	}
	text, _, err := unix.OpenText(file)
	if err != nil {
		return nil
	}
	return text
}

// settleLeft adds up what a set has counted that cannot go on.
func (s *Supervisor) settleLeft(t *set) error {
	if err := t.detach(); err != nil {
		return err
	}
	for _, c := range t.claims {
		executions, undecided := t.count(t.specs[c.Spec])
		sum := s.totals[c.Path+"\x00"+c.Spec]
		sum.Executions += executions - c.Before.Executions
		sum.Undecided += undecided - c.Before.Undecided
		s.totals[c.Path+"\x00"+c.Spec] = sum
	}
	t.closed = true
	if err := s.saveTotals([]*set{t}); err != nil {
		return err
	}
	err := t.session.Close()
	s.erase(t)
	return err
}
