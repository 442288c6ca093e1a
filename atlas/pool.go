package atlas

import (
	"bytes"
	"iter"
	"slices"
	"sort"
	"sync"
)

// How many strings or records are packed together: 64 to 200 KiB, which take
// less than a millisecond to unpack.
const (
	recordGroup = 2048
	stringGroup = 8192
)

// tiers are the sizes of the first parts of the pool of strings: what is used
// most has the shortest numbers. Each part, and the rest, is sorted.
func tiers() []int { return []int{128, 2*stringGroup - 128} }

// often is how many strings are in the parts in front of the rest.
func often() (n int) {
	for _, size := range tiers() {
		n += size
	}
	return n
}

// pool reads numbered byte strings that are packed in groups. It is safe for
// concurrent use.
type pool struct {
	n      int // how many there are
	per    int // in a group
	load   func(group int) ([]byte, error)
	unpack func(data []byte, n int) ([]string, bool)
	fail   func(group int) error // the error for a group that makes no sense

	mu     sync.Mutex
	groups map[int][]string
}

// group gives the texts of a group.
func (p *pool) group(g int) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list, ok := p.groups[g]; ok {
		return list, nil
	}
	data, err := p.load(g)
	if err != nil {
		return nil, err
	}
	list, ok := p.unpack(data, min(p.per, p.n-g*p.per))
	if !ok {
		return nil, p.fail(g)
	}
	if p.groups == nil {
		p.groups = map[int][]string{}
	}
	p.groups[g] = list
	return list, nil
}

// get gives one by its number.
func (p *pool) get(id uint32) (string, error) {
	if int(id) >= p.n {
		return "", errSection
	}
	list, err := p.group(int(id) / p.per)
	if err != nil {
		return "", err
	}
	return list[int(id)%p.per], nil
}

// each gives those of ascending numbers, whose groups are unpacked before it returns.
func (p *pool) each(ids []uint32) (iter.Seq[string], error) {
	groups := make([][]string, (p.n+p.per-1)/p.per)
	for _, id := range ids {
		g := int(id) / p.per
		if int(id) >= p.n {
			return nil, errSection
		}
		if groups[g] == nil {
			var err error
			if groups[g], err = p.group(g); err != nil {
				return nil, err
			}
		}
	}
	return func(yield func(string) bool) {
		for _, id := range ids {
			if !yield(groups[int(id)/p.per][int(id)%p.per]) {
				return
			}
		}
	}, nil
}

// unpackRecords takes records with their lengths in front.
func unpackRecords(data []byte, n int) ([]string, bool) {
	c := &cursor{data: data}
	list := make([]string, n)
	for i := range list {
		list[i] = c.text()
	}
	return list, c.done()
}

// unpackStrings takes strings of which each shares a beginning with the one
// before: the lengths of what they share, then the rest of each and a zero.
func unpackStrings(data []byte, n int) ([]string, bool) {
	c := &cursor{data: data}
	same := make([]int, n)
	for i := range same {
		same[i] = c.int(maxSection)
	}
	if c.bad {
		return nil, false
	}
	rest, all := c.data, make([]byte, 0, 2*len(c.data))
	ends, last := make([]int, n), 0
	for i, k := range same {
		start, z := len(all), bytes.IndexByte(rest, 0)
		if z < 0 || k > start-last || start+k+z > maxSection {
			return nil, false
		}
		all = append(all, all[last:last+k]...)
		all = append(all, rest[:z]...)
		rest, last, ends[i] = rest[z+1:], start, len(all)
	}
	list, text, from := make([]string, n), string(all), 0
	for i, to := range ends {
		list[i], from = text[from:to], to
	}
	return list, len(rest) == 0
}

// texts is the pool of strings.
type texts struct {
	pool
	heads []string // the first string of each group
}

// At gives a string; it makes texts a flat.Lookup.
func (t *texts) At(id uint64) (string, error) {
	if id >= uint64(t.n) {
		return "", errSection
	}
	return t.get(uint32(id))
}

// find gives the number of a string.
func (t *texts) find(s string) (uint32, bool, error) {
	from := 0
	for _, size := range append(tiers(), t.n) {
		to := min(from+size, t.n)
		id, ok, err := t.findIn(s, from, to)
		if ok || err != nil {
			return id, ok, err
		}
		from = to
	}
	return 0, false, nil
}

// findIn looks in the sorted part [from, to).
func (t *texts) findIn(s string, from, to int) (uint32, bool, error) {
	if from >= to {
		return 0, false, nil
	}
	g, last := from/t.per, (to-1)/t.per
	// The group is the last one whose head is not behind s.
	g += sort.Search(last-g, func(i int) bool { return t.heads[g+1+i] > s })
	list, err := t.group(g)
	if err != nil {
		return 0, false, err
	}
	low, high := max(from-g*t.per, 0), min(to-g*t.per, len(list))
	i, ok := slices.BinarySearch(list[low:high], s)
	return uint32(g*t.per + low + i), ok, nil
}
