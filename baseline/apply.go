package baseline

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
)

// Subject is a hook on one kernel or binary.
type Subject struct {
	Hook string // as spelled; "" for findings about a file
	On   string // kernel or binary
	File string // that the hook was found in; "" for the command line
}

// NewSubject makes a subject of a hook, the kernel or binary it is asked of,
// and the file it was found in.
func NewSubject(h hook.Hook, on string, from check.Origin) Subject {
	s := Subject{On: on, File: from.File}
	switch {
	case h.Text != "":
		s.Hook = strings.TrimSpace(h.Text)
	case h.Kind != "":
		s.Hook = h.String()
	}
	return s
}

// subject says what a finding is about.
func subject(f check.Finding) Subject {
	on := f.Kernel
	if on == "" {
		on = f.Hook.Target
	}
	return NewSubject(f.Hook, on, f.Origin)
}

// covers tells whether the entry speaks of a subject, and by which of its
// names; -1 where it names none.
func (e *Entry) covers(s Subject) (on int, ok bool) {
	if e.File != "" && !sameFile(e.File, s.File) {
		return 0, false
	}
	if e.Hook != s.Hook && (s.Hook == "" || !sameHook(e.Hook, s.Hook)) {
		return 0, false
	}
	if len(e.On) == 0 {
		return -1, true
	}
	on = slices.IndexFunc(e.On, func(pattern string) bool {
		if pattern == s.On {
			return true
		}
		match, err := path.Match(pattern, s.On)
		return match && err == nil
	})
	return on, on >= 0
}

// expired tells whether the entry's last day is over.
func (e *Entry) expired(now time.Time) bool {
	return !e.Expires.IsZero() && !now.UTC().Before(e.Expires.AddDate(0, 0, 1))
}

// Use applies a baseline to the findings of one run.
type Use struct {
	file *File
	now  time.Time
	used []map[int]bool // of each entry: which of its names were needed
	late []bool         // entries that would have been needed and are expired
}

// Use begins to apply the baseline; now decides what is expired.
func (f *File) Use(now time.Time) *Use {
	u := &Use{file: f, now: now, used: make([]map[int]bool, len(f.Entries)), late: make([]bool, len(f.Entries))}
	for i := range u.used {
		u.used[i] = map[int]bool{}
	}
	return u
}

// Accept marks the findings that an entry accepts.
func (u *Use) Accept(findings []check.Finding) {
	for i := range findings {
		f := &findings[i]
		s := subject(*f)
		for j := range u.file.Entries {
			e := &u.file.Entries[j]
			if e.Rule != f.Rule || e.Function != "" && e.Function != f.Function {
				continue
			}
			on, ok := e.covers(s)
			switch {
			case !ok:
			case e.expired(u.now):
				u.late[j], u.used[j][on] = true, true
			default:
				f.Accepted, u.used[j][on] = e.Reason, true
			}
		}
	}
}

// Leftover gives findings about the baseline itself: entries that are expired,
// and entries whose finding is gone from everything they name that was
// answered in this run. What was not asked is not stale.
func (u *Use) Leftover(answered []Subject) []check.Finding {
	var out []check.Finding
	for i := range u.file.Entries {
		e := &u.file.Entries[i]
		f := check.Finding{Rule: check.SH001, Severity: check.Info, Origin: check.Origin{File: u.file.Path, Line: e.Line, Column: e.Column}}
		if gone := u.gone(i, answered); len(gone) > 0 {
			f.Message = fmt.Sprintf("the accepted finding %s of %s is gone: %s", e.Rule, e.about(), strings.Join(gone, ", "))
			f.Remedy = "remove the entry, or the names it is gone from"
			out = append(out, f)
		}
		if u.late[i] {
			f.Message = fmt.Sprintf("the acceptance of %s of %s ended with %s", e.Rule, e.about(), e.Expires.Format(dateForm))
			f.Remedy = "mend the hook, or look again and write a new date"
			out = append(out, f)
		}
	}
	return out
}

// gone gives the names of an entry that were answered and that it is not
// needed for.
func (u *Use) gone(entry int, answered []Subject) []string {
	e := &u.file.Entries[entry]
	asked := map[int]bool{}
	for _, s := range answered {
		if on, ok := e.covers(s); ok {
			asked[on] = true
		}
	}
	var out []string
	for on := range asked {
		switch {
		case u.used[entry][on]:
		case on < 0:
			return []string{"everywhere it was looked for"}
		default:
			out = append(out, "from "+e.On[on])
		}
	}
	slices.Sort(out)
	return out
}

func (e *Entry) about() string {
	if e.Hook == "" {
		return e.File
	}
	return e.Hook
}
