package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// tables are kallsyms tables as scripts/kallsyms.c lays them out.
type tables struct {
	before bool // offsets in front of the names, as until 6.3
	self   bool // offsets from their own place, as from 7.0
	percpu bool // CONFIG_KALLSYMS_ABSOLUTE_PERCPU
	base   uint64
}

// encode makes tables of n functions, 16 bytes each, behind some bytes.
func (l tables) encode(here uint64, n int) []byte {
	le := binary.LittleEndian
	out := append(bytes.Repeat([]byte("rodata 0\x001\x00 "), 30), 0, 0, 0, 0, 0, 0, 0, 0)
	align := func(to int) {
		for len(out)%to != 0 {
			out = append(out, 0)
		}
	}
	address := func(i int) uint64 { return l.base + uint64(16*i) }
	offsets := func() {
		align(8)
		for i := range n {
			v := uint32(address(i) - l.base)
			switch {
			case l.self:
				v = uint32(address(i) - here - uint64(len(out)))
			case l.percpu:
				v = uint32(l.base - 1 - address(i))
			}
			out = le.AppendUint32(out, v)
		}
		if !l.self {
			align(8)
			out = le.AppendUint64(out, l.base)
		}
	}
	if l.before {
		offsets()
	}
	align(8)
	out = le.AppendUint64(out, uint64(n))
	names, markers := len(out), []int(nil)
	for i := range n {
		if i%perMarker == 0 {
			markers = append(markers, len(out)-names)
		}
		name := fmt.Sprintf("Tfunction_%d", i)
		out = append(append(out, byte(len(name))), name...)
	}
	align(4)
	for _, m := range markers {
		out = le.AppendUint32(out, uint32(m))
	}
	align(8)
	table, index := len(out), []int(nil)
	for t := range numTokens {
		index = append(index, len(out)-table)
		token := string(rune(t))
		if t == 0 || t >= 128 {
			token = fmt.Sprintf("token%d", t)
		}
		out = append(append(out, token...), 0)
	}
	align(8)
	for _, v := range index {
		out = le.AppendUint16(out, uint16(v))
	}
	if !l.before {
		offsets()
	}
	return append(out, "behind the tables"...)
}

const here = 0xffffffff82000000

func layouts4() map[string]tables {
	return map[string]tables{
		"5.10, 6.1": {before: true, percpu: true, base: 0xffffffff81000000},
		"6.12":      {percpu: true, base: 0xffffffff81000000},
		"arm64":     {base: 0xffff800080000000},
		"7.0":       {self: true, base: 0xffffffff81000000},
	}
}

func TestKallsyms(t *testing.T) {
	for name, l := range layouts4() {
		t.Run(name, func(t *testing.T) {
			const n = 2000
			k, err := findKallsyms(l.encode(here, n))
			if err != nil {
				t.Fatal(err)
			}
			addr, err := k.addresses(here)
			if err != nil {
				t.Fatal(err)
			}
			got := k.symbols(addr)
			if len(got) != n {
				t.Fatalf("%d symbols", len(got))
			}
			for i, y := range got {
				if want := (ksym{fmt.Sprintf("function_%d", i), 'T', l.base + uint64(16*i)}); y != want {
					t.Fatalf("%d: %+v, want %+v", i, y, want)
				}
			}
		})
	}
}

// FuzzKallsyms: an error or symbols, in bounds.
func FuzzKallsyms(f *testing.F) {
	for _, l := range layouts4() {
		f.Add(l.encode(here, 1100))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := findKallsyms(data)
		if err != nil {
			return
		}
		addr, err := k.addresses(here)
		if (err == nil) == (addr == nil) {
			t.Fatalf("%v", err)
		}
		if err == nil {
			k.symbols(addr)
		}
	})
}
