package image

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
)

// named makes a kernel of the symbols of kallsyms, which have no sizes.
func named(symbols []ksym, m memory) *source {
	s := &source{mem: m}
	s.name(symbols)
	return s
}

// TestSystemCallsBySymbols: the table ends where the next symbol lies, and what
// stands behind it is in none.
func TestSystemCallsBySymbols(t *testing.T) {
	const base = uint64(kernelHalf)
	m := &rawMemory{base: base, data: make([]byte, 0x400)}
	for at, p := range map[uint64]uint64{0x200: base + 0x10, 0x208: base + 0x20, 0x210: base + 0x10, 0x218: base + 0x30} {
		binary.LittleEndian.PutUint64(m.data[at:], p)
	}
	s := named([]ksym{
		{"_stext", 'T', base}, {"__x64_sys_read", 'T', base + 0x10}, {"__x64_sys_open", 'T', base + 0x20}, {"__ia32_sys_stime", 'T', base + 0x30},
		{"sys_call_table", 'R', base + 0x200}, {"another", 'r', base + 0x218}, {"last", 'r', base + 0x300},
	}, m)
	calls := s.systemCalls()
	if diff := cmp.Diff(map[string]bool{"sys_read": true, "sys_open": true}, calls); diff != "" {
		t.Error(diff)
	}
	if registered(calls, "syscalls", "sys_enter_stime") || !registered(calls, "syscalls", "sys_exit_read") {
		t.Error("the event of stime is there, or that of read is not")
	}
	if calls := named([]ksym{{"_stext", 'T', base}, {"sys_call_table", 'R', base + 0x200}}, m).systemCalls(); calls != nil {
		t.Errorf("a table without an end: %v", calls)
	}
}

// TestVariables: data that has a function's name is no function, but noted.
func TestVariables(t *testing.T) {
	const base = uint64(kernelHalf)
	s := named([]ksym{
		{"_stext", 'T', base}, {"shadowed", 'T', base + 0x10}, {"alone", 't', base + 0x20}, {"shadowed", 'd', base + 0x100}, {"value", 'D', base + 0x200},
	}, &rawMemory{base: base, data: make([]byte, 0x400)})
	b := &builder{snap: &kernel.Snapshot{}, core: s, funcs: map[string]*kernel.Function{}}
	b.addSymbols(s)
	if f := b.funcs["shadowed"]; len(f.Symbols) != 1 || !f.Symbols[0].Variable || f.Symbols[0].Address != base+0x10 {
		t.Errorf("%+v", f)
	}
	if f := b.funcs["alone"]; len(f.Symbols) != 1 || f.Symbols[0].Variable {
		t.Errorf("%+v", f)
	}
	if f := b.funcs["value"]; f != nil {
		t.Errorf("%+v", f)
	}
}
