package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/surehook/surehook/indexcache"
	"github.com/surehook/surehook/sites"
)

// indexes gives the cache of indexes of large files, nil if it is not wanted
// or there is no place for it. What goes wrong with it is written to w if
// SUREHOOK_DEBUG is set: no command fails because of it.
func indexes(off bool, w io.Writer) sites.Cache {
	log := func(string, ...any) {}
	if w != nil && os.Getenv("SUREHOOK_DEBUG") != "" {
		log = func(format string, args ...any) { fmt.Fprintf(w, "surehook: "+format+"\n", args...) }
	}
	if off || os.Getenv("SUREHOOK_CACHE") == "off" {
		return nil
	}
	path, err := indexcache.DefaultPath()
	if err == nil {
		// A home that does not exist is not made.
		_, err = os.Stat(filepath.Dir(filepath.Dir(filepath.Dir(path))))
	}
	if err != nil {
		log("index cache: %v", err)
		return nil
	}
	return indexcache.Open(path, indexcache.Options{Version: build(), Log: log})
}

// build names this very program: another one may compute other indexes.
func build() string {
	revision, modified := "", true
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value
			case "vcs.modified":
				modified = s.Value != "false"
			}
		}
	}
	if revision != "" && !modified {
		return version() + " " + revision
	}
	name := version()
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			name += fmt.Sprintf(" %d %d", info.Size(), info.ModTime().UnixNano())
		}
	}
	return name
}
