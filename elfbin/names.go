package elfbin

import "hash/maphash"

// nameIndex finds symbols by name: a hash table of their numbers, which for a
// kernel's 100,000 is made ten times as fast as a map of slices.
type nameIndex struct {
	seed  maphash.Seed
	first []int32 // by hash: number of the first symbol and 1, 0 for none
	next  []int32 // by symbol: of the next one with that hash
}

func newNameIndex(symbols []Symbol) nameIndex {
	size := 16
	for size < len(symbols) {
		size *= 2
	}
	x := nameIndex{maphash.MakeSeed(), make([]int32, size), make([]int32, len(symbols))}
	for i := len(symbols) - 1; i >= 0; i-- {
		h := x.hash(symbols[i].Name)
		x.next[i], x.first[h] = x.first[h], int32(i+1)
	}
	return x
}

func (x *nameIndex) hash(name string) uint64 {
	return maphash.String(x.seed, name) & uint64(len(x.first)-1)
}

// find gives the numbers of the symbols of a name, ascending.
func (x *nameIndex) find(symbols []Symbol, name string) []int32 {
	var out []int32
	for i := x.first[x.hash(name)]; i > 0; i = x.next[i-1] {
		if symbols[i-1].Name == name {
			out = append(out, i-1)
		}
	}
	return out
}
