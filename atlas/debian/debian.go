// Package debian holds an atlas of Debian's cloud kernels, which "make atlas"
// builds from their packages.
package debian

import (
	_ "embed"
	"strings"

	"github.com/surehook/surehook/atlas"
)

//go:embed debian.atlas
var data string

// Open opens the atlas. The error is that of a damaged file, which a built
// program has not.
func Open() (*atlas.Atlas, error) {
	return atlas.New(strings.NewReader(data), int64(len(data)), "of Debian's kernels in the program")
}
