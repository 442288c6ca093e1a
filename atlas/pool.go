package atlas

import (
	"slices"
	"sort"
	"sync"
)

// perGroup is how many strings or records are packed together: about 64 KiB,
// which takes 0.2 ms to unpack.
const perGroup = 2048

// tiers are the sizes of the first parts of the pool of strings: what is used
// most has the shortest numbers. Each part, and the rest, is sorted.
func tiers() []int { return []int{128, 1<<14 - 128} }

// pool reads numbered byte strings that are packed in groups. It is safe for
// concurrent use.
type pool struct {
	n      int // how many there are
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
	list, ok := p.unpack(data, min(perGroup, p.n-g*perGroup))
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
	list, err := p.group(int(id) / perGroup)
	if err != nil {
		return "", err
	}
	return list[id%perGroup], nil
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
// before.
func unpackStrings(data []byte, n int) ([]string, bool) {
	c := &cursor{data: data}
	list := make([]string, n)
	last := ""
	for i := range list {
		same := c.int(len(last))
		last = last[:same] + c.text()
		list[i] = last
	}
	return list, c.done()
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
	g, last := from/perGroup, (to-1)/perGroup
	// The group is the last one whose head is not behind s.
	g += sort.Search(last-g, func(i int) bool { return t.heads[g+1+i] > s })
	list, err := t.group(g)
	if err != nil {
		return 0, false, err
	}
	low, high := max(from-g*perGroup, 0), min(to-g*perGroup, len(list))
	i, ok := slices.BinarySearch(list[low:high], s)
	return uint32(g*perGroup + low + i), ok, nil
}
