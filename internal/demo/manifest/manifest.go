// Package manifest records from which sources, with which tools, the demo
// programs were built, so that a program and its source cannot drift apart.
package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Manifest is the content of manifest.json.
type Manifest struct {
	Sources map[string]string `json:"sources"` // path below src: SHA-256
	Sets    []Set             `json:"sets"`
}

// Set is the programs of one architecture.
type Set struct {
	Arch     string    `json:"arch"`  // as GOARCH
	Tools    []string  `json:"tools"` // versions of compiler, linker, start files
	Programs []Program `json:"programs"`
}

// Program is one file of a set.
type Program struct {
	Name   string `json:"name"`
	Flags  string `json:"flags"` // of the compiler, and the sources
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"` // bytes
}

// Parse reads manifest.json.
func Parse(b []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("manifest.json: %w", err)
	}
	return m, nil
}

// Hash is the SHA-256 of b in hex.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Sum hashes every file of the tree.
func Sum(tree fs.FS) (map[string]string, error) {
	sums := map[string]string{}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		sums[path] = Hash(b)
		return nil
	})
	return sums, err
}

// SameSources tells whether the programs were built from these sources.
func (m Manifest) SameSources(sums map[string]string) bool { return maps.Equal(m.Sources, sums) }

// Set gives the set of one architecture, empty if there is none.
func (m Manifest) Set(arch string) Set {
	for _, s := range m.Sets {
		if s.Arch == arch {
			return s
		}
	}
	return Set{}
}

// SamePrograms tells whether both sets hold the same bytes.
func (s Set) SamePrograms(t Set) bool {
	return slices.EqualFunc(s.Programs, t.Programs, func(a, b Program) bool {
		return a.Name == b.Name && a.SHA256 == b.SHA256
	})
}
