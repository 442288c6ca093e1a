package image

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// A BTF set is a count and that many type ids; one with flags has 4 bytes of
// its own flags behind the count and flags behind each id (include/linux/btf_ids.h).
const (
	setPrefix   = "__BTF_ID__set__"
	flagsPrefix = "__BTF_ID__set8__"
	maxSet      = 1 << 16 // entries; the largest has a few hundred
)

// addKfuncs adds the functions that BPF programs may call: by declaration tag
// or, before 6.9, by the sets with flags, which nothing else uses.
func (b *builder) addKfuncs(s *source) {
	out, sets := slices.Clone(s.types.Kfuncs), false
	for name, at := range s.byName {
		sets = sets || strings.HasPrefix(name, "__BTF_ID__")
		if strings.HasPrefix(name, flagsPrefix) {
			out = append(out, s.readSet(at, 8)...)
		}
	}
	b.snap.BPFFuncs = append(b.snap.BPFFuncs, out...)
	if len(out) == 0 && !sets && s.module == "" {
		b.missing(kernel.Kfuncs, "the BTF has no tags of kfuncs and the file no symbols of their sets")
	}
}

// idSet gives the functions of a set without flags.
func (s *source) idSet(name string) []string {
	at, ok := s.byName[setPrefix+name]
	if !ok {
		at, ok = s.byName[name]
	}
	if !ok {
		return nil
	}
	return s.readSet(at, 4)
}

// readSet reads a set with entries of a size in bytes.
func (s *source) readSet(at uint64, size int) []string {
	le := binary.LittleEndian
	head := s.mem.Bytes(at, size)
	if len(head) < size {
		return nil
	}
	n := int(min(le.Uint32(head), maxSet))
	data := s.mem.Bytes(at+uint64(size), n*size)
	var out []string
	for ; len(data) >= size; data = data[size:] {
		if fn, ok := s.types.Func(le.Uint32(data)); ok {
			out = append(out, fn)
		}
	}
	return out
}
