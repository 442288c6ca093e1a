package demo

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/surehook/surehook/sites"
)

// library is the name under which the demo installs either version.
const library = "libprice.so"

// relink tells what an update of a library does to a probe in it.
func (s *stage) relink(e Example) error {
	s.print(
		"A uprobe is a file (its inode) and an offset, never a name. Version 2 of a",
		"library inserts two functions before price():", "")
	lib := filepath.Join(s.dir, library)
	hook := fmt.Sprintf("uprobe:%s:price", lib)
	if err := s.install("libprice-v1.so"); err != nil {
		return err
	}
	old, err := s.analyse(hook)
	if err != nil {
		return err
	}
	if len(old.PlainAt) != 1 {
		return fmt.Errorf("version 1 has price at %d places, not one", len(old.PlainAt))
	}
	was := old.PlainAt[0]
	s.printf("  version 1  price at offset %#x\n", was)

	session, err := s.attach(*old)
	if err != nil {
		return err
	}
	if session != nil {
		defer session.Close()
	}
	live, err := s.follow(session, lib, old)
	if err != nil {
		return err
	}
	return s.updated(lib, hook, was, live)
}

// follow runs the workload before and after the update, under one session.
// The lines that it makes are for later: the analysis is printed first.
func (s *stage) follow(session Session, lib string, r *sites.Result) ([]string, error) {
	var lines []string
	for _, step := range []struct{ version, text string }{
		{"", "version 1, probe attached"},
		{"libprice-v2.so", "updated as a package manager does it, probe still there"},
	} {
		if step.version != "" {
			if err := s.install(step.version); err != nil {
				return nil, err
			}
		}
		if session == nil {
			continue
		}
		before, err := session.Counts()
		if err != nil {
			return nil, err
		}
		executed, err := s.execute([]string{"shop", lib})
		if err != nil {
			return nil, err
		}
		after, err := session.Counts()
		if err != nil {
			return nil, err
		}
		lines = append(lines, "  "+step.text+":",
			fmt.Sprintf("    plain probe saw %d of %d executions", after[0].Plain-before[0].Plain, executed))
	}
	return lines, nil
}

// updated shows version 2: what lies at the old offset, and the new sites.
func (s *stage) updated(lib, hook string, was uint64, live []string) error {
	r, err := s.analyse(hook)
	if err != nil {
		return err
	}
	if len(r.PlainAt) != 1 {
		return fmt.Errorf("version 2 has price at %d places, not one", len(r.PlainAt))
	}
	stale, err := s.analyse(fmt.Sprintf("uprobe:%s:discount", lib))
	if err != nil {
		return err
	}
	if len(stale.PlainAt) != 1 || stale.PlainAt[0] != was {
		return fmt.Errorf("offset %#x of version 2 is not discount", was)
	}
	s.printf("  version 2  price at offset %#x, and at offset %#x is now discount\n", r.PlainAt[0], was)
	s.print("", "version 2")
	s.verdicts(r)
	if live == nil {
		return nil
	}
	s.print("")
	s.print(live...)
	counts, executed, err := s.count([]sites.Result{*r, *stale}, []string{"shop", lib})
	if err != nil || counts == nil {
		return err
	}
	s.print("  version 1's offset attached again to the new file:")
	s.printf("    hit %d times, each of them discount: plain probe saw 0 of %d executions\n", counts[1].Plain, executed)
	s.print("  sites computed again from the new file:")
	s.printf("    surehook saw %d of %d executions\n", counts[0].Executions, executed)
	s.print("", "An offset belongs to one build: keep the build id with it, or compute it again.")
	return nil
}

// install puts a version in place by renaming, as package managers do: the old
// file lives on, nameless, as long as a probe or a process holds it.
func (s *stage) install(version string) error {
	b, err := program(s.arch, version)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, library)
	if err := writeNew(path+".new", b, 0o755); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
