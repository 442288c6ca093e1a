package running

import (
	"slices"

	"github.com/surehook/surehook/hook"
)

// InFile is the places of one kind in one file.
type InFile struct {
	Kind    hook.Kind
	File    File
	Offsets []uint64 // in the file, ascending, each once
}

// ByFile puts the uprobes among places together by kind and file, in the
// order in which these come first.
func ByFile(places []Place) []InFile {
	var out []InFile
	for _, p := range places {
		if !p.Kind.User() {
			continue
		}
		i := slices.IndexFunc(out, func(in InFile) bool { return in.Kind == p.Kind && in.File == p.File })
		if i < 0 {
			i = len(out)
			out = append(out, InFile{Kind: p.Kind, File: p.File})
		}
		out[i].Offsets = append(out[i].Offsets, p.Offset)
	}
	for i := range out {
		slices.Sort(out[i].Offsets)
		out[i].Offsets = slices.Compact(out[i].Offsets)
	}
	return out
}
