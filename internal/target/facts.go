package target

import (
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
)

// CheckInput is what the rules may know of the hook's file. buildID is the
// build that the hook's offset was computed for, "" if that is not said.
func (a *Analyzer) CheckInput(r Resolved, buildID string) check.Input {
	file := r.Binary.File()
	return check.Input{
		BuildID:   buildID,
		Lookup:    file.Lookup,
		Providers: func(function string) []string { return a.providers(file, function) },
	}
}

// providers gives the libraries that the file is linked with and that define
// the function.
func (a *Analyzer) providers(file *elfbin.File, function string) []string {
	name, _, _ := strings.Cut(function, "@")
	var paths []string
	for _, soname := range file.Needed() {
		path, _, err := elfbin.FindLibrary(a.opts.Root, soname, file.Arch())
		if err == nil && defines(path, name) {
			paths = append(paths, path)
		}
	}
	return paths
}

func defines(path, name string) bool {
	file, err := elfbin.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	for _, s := range file.Lookup(name) {
		if s.Func() || s.IFunc() {
			return true
		}
	}
	return false
}
