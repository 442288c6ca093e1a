package sites

import (
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/surehook/surehook/dwarfinfo"
)

// sourceHash stands for what makes two abstract instances one source function:
// name, linkage name, file and line of the declaration; of Go, whose abstract
// instances have no file, the name alone. The hashes have random seeds and
// 128 bits, so that equal ones are equal sources.
type sourceHash [2]uint64

// sourceHasher computes them. Neighbours are often declared in one file.
type sourceHasher struct {
	seeds [2]maphash.Seed
	last  string
	file  sourceHash
}

func (s *sourceHasher) text(text string) sourceHash {
	return sourceHash{maphash.String(s.seeds[0], text), maphash.String(s.seeds[1], text)}
}

func (s *sourceHasher) of(d *dwarfinfo.Data, r *dwarfinfo.Func) sourceHash {
	if d.Units[r.Unit].Language == langGo {
		return s.text(r.Name)
	}
	h := s.text(qualified(r))
	if r.LinkageName != "" {
		h.add(s.text(r.LinkageName), 1)
	}
	if r.DeclFile != s.last || s.file == (sourceHash{}) {
		s.last, s.file = r.DeclFile, s.text(r.DeclFile)
	}
	h.add(s.file, uint64(r.DeclLine)<<1)
	return h
}

// add mixes another hash and a small number in; the order matters.
func (h *sourceHash) add(other sourceHash, n uint64) {
	const odd = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio
	for i := range h {
		h[i] = (h[i]^h[i]>>29)*odd + (other[i]^other[i]>>32)*(2*n+1)*odd + n
	}
}

// firstSources gives for each abstract instance, by index in Data.Funcs, the
// first one of the same source function; -1 for what is none or has no name.
func firstSources(d *dwarfinfo.Data) []int32 {
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	hashes, first := make([]sourceHash, len(d.Funcs)), make([]int32, len(d.Funcs))
	eachChunk(len(d.Funcs), func(_, from, to int) {
		s := sourceHasher{seeds: seeds}
		for i := from; i < to; i++ {
			r := &d.Funcs[i]
			if first[i] = -1; r.Root == int32(i) && (r.Name != "" || r.LinkageName != "") {
				first[i], hashes[i] = int32(i), s.of(d, r)
			}
		}
	})
	size := uint64(16)
	for size < 2*uint64(len(first)) {
		size *= 2
	}
	table := make([]int32, size) // open addressing: index and 1, 0 for free
	for i := range first {
		if first[i] < 0 {
			continue
		}
		at := hashes[i][0] & (size - 1)
		for table[at] > 0 && hashes[table[at]-1] != hashes[i] {
			at = (at + 1) & (size - 1)
		}
		if table[at] == 0 {
			table[at] = int32(i) + 1
		}
		first[i] = table[at] - 1
	}
	return first
}

// chunkSize is how many neighbours one goroutine looks at in turn.
const chunkSize = 8192

// chunks is how many chunks eachChunk makes of n.
func chunks(n int) int { return (n + chunkSize - 1) / chunkSize }

// eachChunk calls do for the chunks of 0..n-1, on all processors.
func eachChunk(n int, do func(chunk, from, to int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	count := chunks(n)
	for range min(runtime.GOMAXPROCS(0), count) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				do(i, i*chunkSize, min(n, (i+1)*chunkSize))
			}
		})
	}
	wg.Wait()
}
