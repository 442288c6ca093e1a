package cases

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// testCase is one case file.
type testCase struct {
	path     string
	archive  *txtar.Archive
	files    []txtar.File // the sources
	hooks    []string
	run      string
	debug    []string
	truth    map[string]uint64
	returns  map[string]uint64 // of functions that do not always return
	variants []variant
}

// variant is one way to build the sources.
type variant struct {
	name   string // empty for the only one
	build  []string
	expect []string
	want   string
}

// readCase parses a case file.
func readCase(path string) (*testCase, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &testCase{path: path, archive: txtar.Parse(text), truth: map[string]uint64{}, returns: map[string]uint64{}}
	if strings.TrimSpace(string(c.archive.Comment)) == "" {
		return nil, fmt.Errorf("%s: the first lines must say what is proved", path)
	}
	sections := map[string]string{} // of variants, by the section's whole name
	for _, f := range c.archive.Files {
		word, name, _ := strings.Cut(f.Name, " ")
		switch word {
		case "build":
			c.variants = append(c.variants, variant{name: name, build: lines(f.Data)})
		case "expect", "want":
			sections[f.Name] = string(f.Data)
		case "hook":
			c.hooks = lines(f.Data)
		case "run":
			c.run = strings.TrimSpace(string(f.Data))
		case "debug":
			c.debug = lines(f.Data)
		case "truth":
			if err := readTruth(c.truth, lines(f.Data)); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		case "returns":
			if err := readTruth(c.returns, lines(f.Data)); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		default:
			c.files = append(c.files, f)
		}
	}
	for i := range c.variants {
		v := &c.variants[i]
		v.want = sections[sectionName("want", v.name)]
		v.expect = append(lines([]byte(sections["expect"])), lines([]byte(sections["expect "+v.name]))...)
		if v.name == "" {
			v.expect = lines([]byte(sections["expect"]))
		}
	}
	if len(c.variants) == 0 || len(c.hooks) == 0 {
		return nil, fmt.Errorf("%s: build and hook sections are needed", path)
	}
	return c, nil
}

func readTruth(into map[string]uint64, rows []string) error {
	for _, row := range rows {
		i := strings.LastIndexByte(row, ' ')
		if i < 0 {
			return fmt.Errorf("truth %q: want a function and a number", row)
		}
		n, err := strconv.ParseUint(row[i+1:], 10, 64)
		if err != nil {
			return fmt.Errorf("truth %q: %w", row, err)
		}
		into[strings.TrimSpace(row[:i])] = n
	}
	return nil
}

// sectionName is the name of a variant's section.
func sectionName(word, variant string) string {
	return strings.TrimSpace(word + " " + variant)
}

// lines splits a section; comments and empty lines are left out.
func lines(data []byte) []string {
	var out []string
	for _, l := range strings.Split(string(data), "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}

// update writes the want sections of all variants, the others as they were.
func (c *testCase) update(want map[string]string) error {
	for _, v := range c.variants {
		text, ok := want[v.name]
		if !ok {
			continue
		}
		section := sectionName("want", v.name)
		found := false
		for i := range c.archive.Files {
			if c.archive.Files[i].Name == section {
				c.archive.Files[i].Data, found = []byte(text), true
			}
		}
		if !found {
			c.archive.Files = append(c.archive.Files, txtar.File{Name: section, Data: []byte(text)})
		}
	}
	return os.WriteFile(c.path, txtar.Format(c.archive), 0o644)
}

// unpack writes the sources into dir.
func (c *testCase) unpack(dir string) error {
	for _, f := range c.files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
