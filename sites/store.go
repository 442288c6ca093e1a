package sites

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/internal/flat"
)

// The parts of a stored index, in the order of flat.Writer.Close. Rows of
// tables are little-endian and sorted.
const (
	partUnits       = iota // of package dwarfinfo, as the next
	partTexts              //
	partHead               // record of storedHead
	partFuncs              // by number of the function: offset (8), size (4) of its record
	partRoots              // by index in Data.Funcs: number of the function and 1, or 0 (4)
	partEntries            // address (8), number (4)
	partNames              // hash (4), number (4)
	partSymbols            // by index in File.Symbols, see symbolRow
	partFuncOrder          // function symbols by address: address (8), index (4)
	partSpans              // what File.SymbolAt gives: address (8), index and 1, or 0 (4)
	partSymbolNames        // hash (4), index (4)
	partStrings            //
	storedParts

	funcRow, rootRow, entryRow, nameRow = 12, 4, 12, 8
)

// store writes the debug information and the index made of it.
func (b *Binary) store(out io.Writer) error {
	w := flat.NewWriter(out)
	parts, err := b.loaded.Store(w)
	if err != nil {
		return err
	}
	x := b.index
	strings := &flat.Strings{}
	c := flat.Encoder(strings)
	stray := b.stray()
	head := storedHead{gaps: b.gaps, outside: stray.outside}
	for _, n := range slices.Sorted(maps.Keys(stray.folded)) {
		head.folded = append(head.folded, foldedName{n, stray.folded[n]})
	}
	jumps := b.foldedJumps()
	for _, addr := range slices.Sorted(maps.Keys(jumps)) {
		head.jumps = append(head.jumps, foldedJump{addr, jumps[addr]})
	}
	head.code(c)
	parts = append(parts, w.Write(c.Record()))
	le := binary.LittleEndian
	var funcs, roots, entries []byte
	for _, f := range x.all {
		f.code(c)
		at := w.Write(c.Record())
		funcs = le.AppendUint32(le.AppendUint64(funcs, at.Offset), uint32(at.Size))
	}
	for _, f := range x.byRoot {
		n := int32(0)
		if f != nil {
			n = f.number + 1
		}
		roots = le.AppendUint32(roots, uint32(n))
	}
	for _, addr := range slices.Sorted(maps.Keys(x.byEntry)) {
		entries = le.AppendUint32(le.AppendUint64(entries, addr), uint32(x.byEntry[addr].number))
	}
	parts = append(parts, w.Write(funcs), w.Write(roots), w.Write(entries), w.Write(hashTable(x.names())))
	parts = append(parts, storeSymbols(w, b.file, strings)...)
	parts = append(parts, w.Write(strings.Bytes()))
	return w.Close(parts...)
}

// nameEntries lists the functions by the hashes of all their spellings, sorted.
func nameEntries(all []*function) []uint64 {
	var rows []uint64
	for _, f := range all {
		add := func(name string) {
			if name != "" {
				rows = append(rows, nameEntry(name, f.number))
			}
		}
		add(f.name)
		add(f.linkage)
		for _, name := range f.names {
			add(name)
		}
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

// nameEntry is a row of a table of hashes, as a number that sorts like it.
func nameEntry(name string, number int32) uint64 {
	return uint64(hashName(name))<<32 | uint64(uint32(number))
}

// hashTable gives sorted rows as they are stored.
func hashTable(rows []uint64) []byte {
	out := make([]byte, 0, nameRow*len(rows))
	for _, r := range rows {
		out = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(out, uint32(r>>32)), uint32(r))
	}
	return out
}

// whole gives the debug information read whole, which an index from the cache
// does without.
func (b *Binary) whole() (*dwarfinfo.Data, error) {
	b.wholeOnce.Do(func() {
		if b.loaded == nil && b.dwErr == nil && b.data != nil {
			b.loaded, b.dwErr = dwarfinfo.LoadLinked(b.debug, dwarfinfo.Links{WithoutCalls: true})
		}
	})
	return b.loaded, b.dwErr
}
