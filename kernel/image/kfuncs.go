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
func (b *builder) addKfuncs() {
	out, sets := slices.Clone(b.types.Kfuncs), false
	for name, at := range b.core.byName {
		sets = sets || strings.HasPrefix(name, "__BTF_ID__")
		if strings.HasPrefix(name, flagsPrefix) {
			out = append(out, b.readSet(at, 8)...)
		}
	}
	b.snap.BPFFuncs = out
	if len(out) == 0 && !sets {
		b.missing(kernel.Kfuncs, "the BTF has no tags of kfuncs and the file no symbols of their sets")
	}
}

// idSet gives the functions of a set without flags.
func (b *builder) idSet(name string) []string {
	at, ok := b.core.byName[setPrefix+name]
	if !ok {
		at, ok = b.core.byName[name]
	}
	if !ok {
		return nil
	}
	return b.readSet(at, 4)
}

// readSet reads a set with entries of a size in bytes.
func (b *builder) readSet(at uint64, size int) []string {
	le := binary.LittleEndian
	head := b.core.mem.Bytes(at, size)
	if len(head) < size {
		return nil
	}
	n := int(min(le.Uint32(head), maxSet))
	data := b.core.mem.Bytes(at+uint64(size), n*size)
	var out []string
	for ; len(data) >= size; data = data[size:] {
		if fn, ok := b.types.Func(le.Uint32(data)); ok {
			out = append(out, fn)
		}
	}
	return out
}
