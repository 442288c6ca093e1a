package dwarfinfo

import (
	"bytes"
	"debug/dwarf"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// shrunk is a file of whose .debug_info only the first bytes are left.
type shrunk struct {
	sectionMap
	left int
}

func (s shrunk) SectionReader(name string) (*io.SectionReader, bool) {
	b := s.sectionMap[name]
	return io.NewSectionReader(bytes.NewReader(b[:s.left]), 0, int64(len(b))), true
}

// partFile has units of all sizes: the own entry of one is longer than what
// is read for it, another has no other texts than its own.
func partFile(t *testing.T) sectionMap {
	t.Helper()
	text := func(name string) []dt.Attr { return []dt.Attr{attr(dwarf.AttrName, dt.String, name)} }
	units := []*dt.Unit{unitOf(4, text(strings.Repeat("long", rootBytes)), function("a"))}
	for i := 300; i > 0; i-- { // each fits into the memory of the one before
		body := entryOf(dwarf.TagSubprogram, text("f"+strings.Repeat("x", i)))
		units = append(units, unitOf(5, text("u"), entryOf(dwarf.TagNamespace, text("ns"), body, function("g", inlined(body)))))
	}
	file, src := fileOf(units...), sectionMap{}
	for _, name := range []string{".debug_info", ".debug_abbrev", ".debug_str"} {
		b, err := file.Section(name)
		if err != nil {
			t.Fatal(err)
		}
		src[name] = b
	}
	return src
}

func TestParts(t *testing.T) {
	src := partFile(t)
	want, got := loadWhole(t, src), loadWhole(t, inParts{src})
	if len(want.Funcs) != 601 || !reflect.DeepEqual(want.Units, got.Units) || !reflect.DeepEqual(want.Funcs, got.Funcs) || !reflect.DeepEqual(want.Copies, got.Copies) {
		t.Errorf("%d functions, %d in parts; or these are others", len(want.Funcs), len(got.Funcs))
	}
}

// A file that shrinks while it is read is an error, wherever its end is: the
// rest must not be missing silently.
func TestPartsShrink(t *testing.T) {
	src := partFile(t)
	size := len(src[".debug_info"])
	for left := 0; left < size; left += 997 {
		d, err := Load(shrunk{src, left})
		var format *FormatError
		if d != nil || !errors.As(err, &format) || format.Section != ".debug_info" || format.Offset > uint64(left) || !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes left of %d: %v", left, size, err)
		}
	}
	if _, err := Load(shrunk{src, size}); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}
