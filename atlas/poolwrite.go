package atlas

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/internal/flat"
)

// counter counts how often strings are used. It is a flat.Interner whose
// numbers mean nothing.
type counter map[string]int

// Add counts a string.
func (n counter) Add(s string) uint64 {
	n[s]++
	return 0
}

// numbers are the strings of an atlas with their final numbers.
type numbers struct {
	list []string
	at   map[string]uint32
}

// Add gives the number of a string that was counted; it makes numbers a
// flat.Interner.
func (n *numbers) Add(s string) uint64 { return uint64(n.at[s]) }

// number orders what was counted: the most used in the first parts, each part
// sorted.
func (n counter) number() (*numbers, error) {
	list := make([]string, 0, len(n))
	for s := range n {
		if strings.IndexByte(s, 0) >= 0 {
			return nil, fmt.Errorf("%q cannot be in an atlas: a zero ends a string", s)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	from := 0
	for _, size := range append(tiers(), len(list)) {
		to := min(from+size, len(list))
		slices.Sort(list[from:to])
		from = to
	}
	at := make(map[string]uint32, len(list))
	for i, s := range list {
		at[s] = uint32(i)
	}
	return &numbers{list: list, at: at}, nil
}

// packStrings packs a group for unpackStrings.
func packStrings(list []string) []byte {
	var shared, rest column
	last := ""
	for _, s := range list {
		same := 0
		for same < min(len(s), len(last)) && s[same] == last[same] {
			same++
		}
		shared.put(uint64(same))
		rest = append(append(rest, s[same:]...), 0)
		last = s
	}
	return append(shared, rest...)
}

// packRecords packs a group for unpackRecords.
func packRecords(list []string) []byte {
	var c column
	for _, s := range list {
		c.text(s)
	}
	return c
}

// records are the distinct records of one kind, in the order of first use.
type records[T any] struct {
	code func(*flat.Coder, *T)
	list []string
	at   map[string]uint32
}

func newRecords[T any](code func(*flat.Coder, *T)) *records[T] {
	return &records[T]{code: code, at: map[string]uint32{}}
}

// count notes the strings of a record.
func (r *records[T]) count(n counter, v *T) { r.code(flat.Encoder(n), v) }

// add gives the number of a record.
func (r *records[T]) add(n *numbers, v *T) uint32 { return r.addFor("", n, v) }

// addFor gives the number of a record that is not shared with other keys: what
// neighbours say of one name is then mostly the next record.
func (r *records[T]) addFor(key string, n *numbers, v *T) uint32 {
	c := flat.Encoder(n)
	r.code(c, v)
	s := string(c.Record())
	id, ok := r.at[key+"\x00"+s]
	if !ok {
		id = uint32(len(r.list))
		r.at[key+"\x00"+s] = id
		r.list = append(r.list, s)
	}
	return id
}
