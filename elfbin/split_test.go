package elfbin

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSplitsFind(t *testing.T) {
	dwo := image{sections: []part{debug(".debug_info.dwo", []byte("good"))}}
	arm := dwo
	arm.machine = 183
	tests := []struct {
		name, dir, dwo string
		root           map[string][]byte
		want           string // taken
		tried          string
	}{
		{"where it was made", "/src", "obj/a.dwo", map[string][]byte{"src/obj/a.dwo": dwo.bytes()}, "/src/obj/a.dwo", ""},
		{"absolute", "/src", "/obj/a.dwo", map[string][]byte{"obj/a.dwo": dwo.bytes()}, "/obj/a.dwo", ""},
		{"beside", "/src", "obj/a.dwo", map[string][]byte{"opt/test/a.dwo": dwo.bytes()}, "/opt/test/a.dwo", ""},
		{"beside, with its directory", "/src", "obj/a.dwo", map[string][]byte{"opt/test/obj/a.dwo": dwo.bytes()}, "/opt/test/obj/a.dwo", ""},
		{"relative directory", "sub", "a.dwo", map[string][]byte{"opt/test/sub/a.dwo": dwo.bytes()}, "/opt/test/sub/a.dwo", ""},
		{"debug directory", "/src", "a.dwo", map[string][]byte{"usr/lib/debug/src/a.dwo": dwo.bytes()}, "/usr/lib/debug/src/a.dwo", ""},
		{"second is right", "/src", "a.dwo", map[string][]byte{"src/a.dwo": withDWARF("").bytes(), "opt/test/a.dwo": dwo.bytes()}, "/opt/test/a.dwo", ""},
		{"other architecture", "/src", "a.dwo", map[string][]byte{"src/a.dwo": arm.bytes()}, "", "/src/a.dwo is for another architecture: arm64"},
		{"not the unit", "/src", "a.dwo", map[string][]byte{"src/a.dwo": withDWARF("").bytes()}, "", "/src/a.dwo does not have the split debug information: refused"},
		{"not ELF", "/src", "a.dwo", map[string][]byte{"src/a.dwo": []byte("text")}, "", "/src/a.dwo cannot be read"},
		{"nowhere", "/src", "../a.dwo", nil, "", "/a.dwo does not exist; /opt/a.dwo does not exist; /opt/test/a.dwo does not exist; /usr/lib/debug/a.dwo does not exist"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, b := range tt.root {
				root[name] = &fstest.MapFile{Data: b}
			}
			f := withDWARF("").open(t)
			s := NewSplits(f, f, DebugOptions{Root: root})
			got := ""
			err := s.Find(tt.dir, tt.dwo, func(f *File) error {
				if b, _ := f.Section(".debug_info.dwo"); string(b) != "good" {
					return errors.New("refused")
				}
				got = f.Path()
				return nil
			})
			if got != tt.want || (err == nil) != (got != "") || err != nil && !strings.Contains(err.Error(), tt.tried) {
				t.Errorf("took %q, error %v", got, err)
			}
			if len(s.Attempts) == 0 || (s.Attempts[len(s.Attempts)-1].Outcome == Found) != (got != "") {
				t.Errorf("attempts %v", s.Attempts)
			}
		})
	}
}

func TestSplitsPackage(t *testing.T) {
	dwp := image{sections: []part{debug(".debug_cu_index", []byte("index"))}}.bytes()
	program := withDWARF("").open(t)
	data := withDWARF("").bytes()
	root := fstest.MapFS{"usr/lib/debug/d/prog.debug": {Data: data}}
	separate, err := openIn(root, "/usr/lib/debug/d/prog.debug")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"opt/test/prog.dwp", "usr/lib/debug/d/prog.debug.dwp", "usr/lib/debug/d/prog.dwp", "usr/lib/debug/opt/test/prog.dwp"} {
		s := NewSplits(program, separate, DebugOptions{Root: fstest.MapFS{at: {Data: dwp}}})
		if f := s.Package(); f == nil || f.Path() != "/"+at {
			t.Errorf("%s: %v", at, s.Attempts)
		}
	}
	s := NewSplits(program, program, DebugOptions{Root: fstest.MapFS{"opt/test/prog.dwp": {Data: data}}})
	if f := s.Package(); f != nil || !strings.Contains(s.Attempts[0].String(), "has no .debug_cu_index") {
		t.Errorf("%v", s.Attempts)
	}
	s = NewSplits(program, program, DebugOptions{})
	if f := s.Package(); f != nil || s.Find("/src", "a.dwo", nil) == nil {
		t.Error("found without a file system")
	}
	s = NewSplits(program, program, DebugOptions{Root: fstest.MapFS{}})
	for range 2 * maxSplitAttempts {
		_ = s.Find("/src", "a.dwo", nil)
	}
	if len(s.Attempts) != maxSplitAttempts || slices.ContainsFunc(s.Attempts, func(a Attempt) bool { return a.Outcome != Absent }) {
		t.Errorf("%d attempts", len(s.Attempts))
	}
}
