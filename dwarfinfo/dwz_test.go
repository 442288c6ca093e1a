package dwarfinfo

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"
)

// dwz moves what units share into partial units of the same file, and with -m
// into another file, as Fedora's debug packages have it.
func TestDwz(t *testing.T) {
	dwz, err := exec.LookPath("dwz")
	if err != nil {
		t.Skip("no dwz on this machine")
	}
	gxx, err := exec.LookPath("g++")
	if err != nil {
		t.Skip("no g++ on this machine")
	}
	sources := []string{"one.cc", "two.cc"}
	for _, flags := range []string{"-O2 -gdwarf-4", "-O2 -gdwarf-5"} {
		one := build(t, gxx, flags, sources)
		if out, err := exec.Command(dwz, one).CombinedOutput(); err != nil {
			t.Skipf("dwz cannot do this here: %v\n%s", err, out)
		}
		compareWithStd(t, one)

		a, b := build(t, gxx, flags, sources), build(t, gxx, flags, sources)
		alt := filepath.Join(t.TempDir(), "alt")
		if out, err := exec.Command(dwz, "-m", alt, a, b).CombinedOutput(); err != nil {
			t.Skipf("dwz cannot do this here: %v\n%s", err, out)
		}
		f, err := elf.Open(a)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := load(t, elfSource{f})
		kinds := map[GapKind]int{}
		for _, g := range d.Gaps {
			kinds[g.Kind]++
		}
		unknown := 0
		for _, c := range d.Copies {
			if c.Origin < 0 {
				unknown++
			}
		}
		if kinds[GapAltFile] == 0 || len(kinds) != 1 || unknown == 0 {
			t.Errorf("%s: gaps %v, %d copies of unknown origin of %d", flags, d.Gaps, unknown, len(d.Copies))
		}
	}
}
