//go:build linux && (amd64 || arm64)

package bpf

import (
	"encoding/binary"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// What Go writes and reads has the layout of the C structs.
func TestLayout(t *testing.T) {
	for _, a := range arches {
		spec, err := ebpf.LoadCollectionSpec(a.object)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			size int
			typ  btf.Type
		}{
			{"entry", binary.Size(Entry{}), spec.Maps[surehookMapEntries].Value},
			{"counter", binary.Size(counter{}), spec.Maps[surehookMapCounters].Value},
		} {
			if size, err := btf.Sizeof(c.typ); err != nil || size != c.size {
				t.Errorf("%s: struct %s is %d bytes in C (%v), %d in Go", a.name, c.name, size, err, c.size)
			}
		}
	}
	if n := binary.Size(Event{}); n != EventSize {
		t.Errorf("an Event has %d bytes, EventSize says %d", n, EventSize)
	}
}

// The stack that the verifier sees, whether executed or not.
func TestStack(t *testing.T) {
	for _, a := range arches {
		spec, err := ebpf.LoadCollectionSpec(a.object)
		if err != nil {
			t.Fatal(err)
		}
		insns := spec.Programs[surehookProgHit].Instructions // others are not preempted
		for i, in := range insns {
			var off int64
			switch class := in.OpCode.Class(); {
			case class.IsLoad() && in.Src == asm.R10, class.IsStore() && in.Dst == asm.R10:
				off = int64(in.Offset)
			case class.IsALU() && in.OpCode.ALUOp() == asm.Mov && in.Src == asm.R10 && in.OpCode.Source() == asm.RegSource:
				if add := insns[i+1]; add.OpCode.ALUOp() == asm.Add && add.Dst == in.Dst {
					off = add.Constant
				}
			}
			if off <= -64 {
				t.Errorf("%s: instruction %d, %v: uses the stack at %d", a.name, i, in, off)
			}
		}
	}
}
