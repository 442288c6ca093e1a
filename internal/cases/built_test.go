package cases

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keeping is the directory of -keep.
func keeping() string { return option("keep") }

func option(name string) string {
	if f := flag.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// knownFile is in the directory of programs made by the compilers that the
// case was written for.
const knownFile = ".known"

// programs gives the directory of a variant's programs and whether the
// compilers are those the case was written for. Package vmsuite has them
// built on one machine (-keep) and run on another (-built).
func (c *testCase) programs(t *testing.T, v variant) (dir string, known bool) {
	t.Helper()
	name := filepath.Join(strings.TrimSuffix(filepath.Base(c.path), ".txtar"), "variant "+v.name)
	if built := option("built"); built != "" {
		dir = filepath.Join(built, name)
		if _, err := os.Stat(dir); err != nil {
			t.Skip("its programs were not built: no compiler")
		}
		_, err := os.Stat(filepath.Join(dir, knownFile))
		return dir, err == nil
	}
	if dir = t.TempDir(); keeping() != "" {
		dir = filepath.Join(keeping(), name)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), c.unpack(dir)); err != nil {
		t.Fatal(err)
	}
	known = v.make(t, dir)
	if keeping() != "" && known {
		if err := os.WriteFile(filepath.Join(dir, knownFile), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, known
}
