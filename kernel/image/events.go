package image

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// addEvents adds trace events and raw tracepoints of the kernel or a module.
func (b *builder) addEvents(s *source) error {
	raws := rawNames(s)
	b.addRaws(s, raws)
	table, ok := s.table("__start_ftrace_events", "__stop_ftrace_events", "_ftrace_events")
	if !ok {
		b.missing(kernel.Tracepoints, "the file does not name the table of events (__start_ftrace_events)")
		return nil
	}
	if b.core.types == nil {
		b.missing(kernel.Tracepoints, "the layout of the kernel's events is not known without its BTF")
		return nil
	}
	e := eventReader{s: s, l: b.layouts, raws: raws}
	if why := e.unfit(); why != "" {
		b.missing(kernel.Tracepoints, why)
		return nil
	}
	calls := s.systemCalls()
	for _, at := range table {
		ev, keep, err := e.event(at)
		if err != nil {
			return &FormatError{s.path, "ftrace events", at, err}
		}
		if keep && registered(calls, ev.System, ev.Name) {
			b.snap.Events = append(b.snap.Events, ev)
		}
	}
	return nil
}

// rawNames gives the static tracepoints by address.
func rawNames(s *source) map[uint64]string {
	out := map[uint64]string{}
	for _, y := range s.symbols {
		if name, ok := strings.CutPrefix(y.name, "__tracepoint_"); ok && !y.code {
			out[y.addr] = name
		}
	}
	return out
}

// bpfMap is what the entry of a tracepoint is called in the table in which the
// kernel looks for it (__bpf_raw_tp_map, include/trace/bpf_probe.h).
const bpfMap = "__bpf_trace_tp_map_"

// bpfTable tells whether the kernel's file names the entries of that table.
func (b *builder) bpfTable() bool {
	for name := range b.core.byName {
		if strings.HasPrefix(name, bpfMap) {
			return true
		}
	}
	return false
}

// addRaws adds the tracepoints that BPF programs can be put on. A tracepoint
// without an entry in the kernel's table, as some of x86's interrupt vectors
// since 7.2, is none.
func (b *builder) addRaws(s *source, raws map[uint64]string) {
	table := b.bpfTable()
	for _, name := range raws {
		if _, ok := s.byName[bpfMap+name]; !ok && table {
			continue
		}
		r := kernel.RawTracepoint{Name: name, Module: s.module}
		if s.types != nil {
			r.Params = s.types.Raw[name]
		}
		b.snap.Raws = append(b.snap.Raws, r)
	}
	if len(raws) == 0 && s.module == "" {
		b.missing(kernel.RawArgs, "the file does not name its tracepoints (__tracepoint_NAME)")
	}
}

// eventReader reads the struct trace_event_call of events.
type eventReader struct {
	s    *source
	l    layouts
	raws map[uint64]string
}

// unfit says which part of the layouts is not known.
func (e *eventReader) unfit() string {
	for _, f := range [][2]string{
		{"trace_event_call", "class"}, {"trace_event_call", "tp"}, {"trace_event_call", "data"}, {"trace_event_class", "system"},
		{"trace_event_class", "fields_array"}, {"trace_event_fields", "type"}, {"trace_event_fields", "name"}, {"trace_event_fields", "size"},
		{"trace_event_fields", "align"}, {"trace_event_fields", "is_signed"}, {"tracepoint", "name"},
		{"syscall_metadata", "nb_args"}, {"syscall_metadata", "types"}, {"syscall_metadata", "args"},
	} {
		if _, ok := e.l.offset(f[0], f[1]); !ok {
			return fmt.Sprintf("the kernel's types have no struct %s with a field %s", f[0], f[1])
		}
	}
	return ""
}

func (e *eventReader) record(name string, at uint64) record { return record{e.s, e.l, name, at} }

// event reads one event; keep is false for those of ftrace itself, which no
// BPF program can be put on.
func (e *eventReader) event(at uint64) (ev kernel.Tracepoint, keep bool, err error) {
	call := e.record("trace_event_call", at)
	class, ok := call.pointer("class")
	if !ok || class == 0 {
		return ev, false, fmt.Errorf("the event has no class")
	}
	ev.Module = e.s.module
	if ev.System, ok = e.record("trace_event_class", class).text("system"); !ok {
		return ev, false, fmt.Errorf("the event's class has no system")
	}
	if ev.System == "ftrace" {
		return ev, false, nil
	}
	tp, ok := call.pointer("tp") // in a union with name
	if !ok || tp == 0 {
		return ev, false, fmt.Errorf("the event has no name")
	}
	if raw, yes := e.raws[tp]; yes {
		ev.Name, ev.Raw = raw, raw
	} else if ev.Name, ok = e.s.text(tp); !ok {
		return ev, false, fmt.Errorf("the event's name cannot be read")
	}
	ev.Fields, err = e.fields(call, class)
	return ev, err == nil, err
}

// maxFields bounds the fields of one event; the kernel's have some 40 at most.
const maxFields = 512

// callback stands for a type where a function defines the fields
// (TRACE_FUNCTION_TYPE, include/linux/trace_events.h).
const callback = ^uint64(0)

// fields reads an event's fields and puts them where event_define_fields
// (kernel/trace/trace_events.c) does.
func (e *eventReader) fields(call record, class uint64) ([]kernel.Field, error) {
	at, ok := e.record("trace_event_class", class).pointer("fields_array")
	if !ok || at == 0 {
		return nil, nil
	}
	size := e.l.size("trace_event_fields")
	offset := e.l.size("trace_entry")
	var out []kernel.Field
	for range maxFields {
		f := e.record("trace_event_fields", at)
		typ, ok := f.pointer("type")
		if !ok {
			return nil, fmt.Errorf("the type of a field cannot be read")
		}
		if typ == 0 {
			return out, nil
		}
		if typ == callback {
			return e.syscall(call, class)
		}
		field := kernel.Field{Size: f.word("size"), Signed: f.word("is_signed") != 0}
		var named bool
		field.Type, ok = e.s.text(typ)
		if field.Name, named = f.text("name"); !ok || !named {
			return nil, fmt.Errorf("the name of a field cannot be read")
		}
		field.Type = withLength(field.Type, f.word("len"))
		if align := f.word("align"); align > 1 && align&(align-1) == 0 {
			offset = (offset + align - 1) &^ (align - 1)
		}
		field.Offset = offset
		offset += field.Size
		out = append(out, field)
		at += size
	}
	return nil, fmt.Errorf("an event with more than %d fields", maxFields)
}

// withLength writes an array's length as a number, as the kernel does when it
// starts: "char[TASK_COMM_LEN]".
func withLength(typ string, n uint64) string {
	i := strings.IndexByte(typ, '[')
	if i < 0 || n == 0 || !strings.HasSuffix(typ, "]") {
		return typ
	}
	if first := typ[i+1]; first == ']' || first >= '0' && first <= '9' {
		return typ
	}
	return fmt.Sprintf("%s[%d]", typ[:i], n)
}

// Places of a system call's record, struct syscall_trace_enter and _exit
// (kernel/trace/trace.h), which no type of the kernel's tells for sure.
const (
	callNumber = 8  // int nr
	callArgs   = 16 // unsigned long args[], long ret
	wordSize   = 8
)

// syscall gives the fields of a system call's event (syscall_enter_define_fields).
func (e *eventReader) syscall(call record, class uint64) ([]kernel.Field, error) {
	out := []kernel.Field{{Type: "int", Name: "__syscall_nr", Offset: callNumber, Size: 4, Signed: true}}
	data, ok := call.pointer("data")
	if class != e.s.byName["event_class_syscall_enter"] || !ok || data == 0 {
		return nil, nil
	}
	meta := e.record("syscall_metadata", data)
	types, _ := meta.pointer("types")
	args, _ := meta.pointer("args")
	n := meta.word("nb_args")
	if n > 6 {
		return nil, fmt.Errorf("a system call of %d arguments", n)
	}
	for i := range n {
		f := kernel.Field{Offset: callArgs + i*wordSize, Size: wordSize}
		if f.Type, ok = e.s.textAt(types + i*wordSize); !ok {
			return nil, fmt.Errorf("the type of a system call's argument cannot be read")
		}
		if f.Name, ok = e.s.textAt(args + i*wordSize); !ok {
			return nil, fmt.Errorf("the name of a system call's argument cannot be read")
		}
		out = append(out, f)
	}
	return out, nil
}
