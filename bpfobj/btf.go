package bpfobj

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
	kbtf "github.com/surehook/surehook/kernel/btf"
)

// types are an object's own types.
type types struct {
	spec    *btf.Spec
	strings string // of .BTF, which .BTF.ext uses too
}

// readTypes reads .BTF; nil without one.
func (o *object) readTypes() (*types, error) {
	s := o.named(".BTF")
	if s == nil || len(s.data) == 0 {
		return nil, nil
	}
	const header = 24 // struct btf_header
	le := binary.LittleEndian
	if len(s.data) < header || le.Uint16(s.data) != 0xeb9f {
		return nil, o.bad(".BTF", 0, "it does not begin like BTF")
	}
	at, n := uint64(le.Uint32(s.data[4:]))+uint64(le.Uint32(s.data[16:])), uint64(le.Uint32(s.data[20:]))
	if at+n > uint64(len(s.data)) {
		return nil, o.bad(".BTF", 16, "its strings end past its end")
	}
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(s.data))
	if err != nil {
		return nil, &FormatError{o.path, ".BTF", 0, err}
	}
	return &types{spec: spec, strings: string(s.data[at : at+n])}, nil
}

// extended are the records of .BTF.ext that are used, by section name.
type extended struct {
	functions map[string][]record // type_id
	lines     map[string][]record // file_name_off, line_off, line_col
	relos     map[string][]record // type_id, access_str_off, kind
}

// record is one record about an instruction.
type record struct {
	slot int // of the instruction in its section
	data [3]uint32
}

// readExtended reads .BTF.ext (Documentation/bpf/btf.rst).
func (o *object) readExtended(t *types) (*extended, error) {
	x := &extended{}
	s := o.named(".BTF.ext")
	if s == nil || t == nil || len(s.data) == 0 {
		return x, nil
	}
	const least = 24 // a header without relocations
	le := binary.LittleEndian
	if len(s.data) < least || le.Uint16(s.data) != 0xeb9f {
		return nil, o.bad(".BTF.ext", 0, "it does not begin like BTF")
	}
	header := uint64(le.Uint32(s.data[4:]))
	parts := []struct {
		field uint64
		words int
		into  *map[string][]record
	}{{8, 1, &x.functions}, {16, 3, &x.lines}, {24, 3, &x.relos}}
	for _, p := range parts {
		if header < p.field+8 || uint64(len(s.data)) < p.field+8 {
			continue
		}
		from, n := header+uint64(le.Uint32(s.data[p.field:])), uint64(le.Uint32(s.data[p.field+4:]))
		if from+n > uint64(len(s.data)) {
			return nil, o.bad(".BTF.ext", p.field, "%d bytes at %#x end past its end", n, from)
		}
		var err error
		if *p.into, err = o.records(t, s.data[from:from+n], from, p.words); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// records reads one part of .BTF.ext: the size of a record, then for each
// section its name, the number of records, and the records.
func (o *object) records(t *types, b []byte, at uint64, words int) (map[string][]record, error) {
	out := map[string][]record{}
	if len(b) == 0 {
		return out, nil
	}
	le := binary.LittleEndian
	bad := func(what string) error { return o.bad(".BTF.ext", at, "%s", what) }
	if len(b) < 4 {
		return nil, bad("no room for the size of a record")
	}
	size := uint64(le.Uint32(b))
	if size < 4+4*uint64(words) || size%4 != 0 {
		return nil, bad(fmt.Sprintf("records of %d bytes", size))
	}
	for b = b[4:]; len(b) > 0; {
		if len(b) < 8 {
			return nil, bad("no room for a section's name")
		}
		name, ok := text(t.strings, le.Uint32(b))
		n := uint64(le.Uint32(b[4:]))
		if b = b[8:]; !ok || n > uint64(len(b))/size {
			return nil, bad("a section's records end past its end, or its name is none")
		}
		for range n {
			r := record{slot: int(le.Uint32(b) / insnSize)}
			for w := range words {
				r.data[w] = le.Uint32(b[4+4*w:])
			}
			out[name] = append(out[name], r)
			b = b[size:]
		}
	}
	return out, nil
}

// Definitions gives the object's own types of a name, as a kernel gives its.
func (t *types) Definitions(name string) ([]kernel.Definition, error) {
	if t == nil {
		return nil, nil
	}
	table := kbtf.NewTable(t.spec)
	f, err := table.Named(name)
	if err != nil {
		return nil, err
	}
	return f.Defs, nil
}
