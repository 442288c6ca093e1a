package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
)

// arguments: the program reads arguments that the hooked function does not
// have, or takes one for what it is not (SH118). Functions of one name may have
// several signatures: what one of them allows is not called wrong.
func arguments(c *kcontext) ([]kfinding, error) {
	protos, err := c.protos()
	if err != nil || len(protos) == 0 {
		return nil, err
	}
	t, err := c.trace(c.program)
	if err != nil {
		return nil, err
	}
	out, err := c.wrongArguments(t, protos[0])
	for _, p := range protos[1:] {
		more, err := c.wrongArguments(t, p)
		if err != nil {
			return nil, err
		}
		out = slices.DeleteFunc(out, func(w wrongArgument) bool {
			return !slices.ContainsFunc(more, func(x wrongArgument) bool { return x.number == w.number })
		})
	}
	var found []kfinding
	for _, w := range out {
		if len(protos) > 1 {
			w.Evidence = append(w.Evidence, fmt.Sprintf("none of its %d signatures allows it", len(protos)))
		}
		found = append(found, w.kfinding)
	}
	return found, err
}

// wrongArgument is a finding about an argument.
type wrongArgument struct {
	kfinding
	number int
}

// wrongArguments compares what a program reads with one signature.
func (c *kcontext) wrongArguments(t *bpfobj.Trace, proto kernel.Proto) ([]wrongArgument, error) {
	var out []wrongArgument
	seen := map[int]bool{}
	for _, r := range t.Reads {
		i, is := c.argument(r.Offset, r.Relo, proto)
		if !is || seen[i] {
			continue
		}
		f, ok := c.absentArgument(i, proto)
		if !ok {
			continue
		}
		seen[i] = true
		f.Evidence = append(f.Evidence, "here: "+proto.C(c.name), at(r.Where, r.Line))
		unless(&f, r.Unless)
		out = append(out, wrongArgument{f, i})
	}
	for _, u := range t.Uses {
		i, is := c.argument(u.Offset, nil, proto)
		if !is || seen[i] || i >= len(proto.Params) {
			continue
		}
		what, typ := "the result", proto.Result
		if i != result {
			what, typ = paramName(i, proto.Params[i]), proto.Params[i].Type
		}
		other, err := c.otherType(typ, u.Relo)
		if err != nil {
			return nil, err
		}
		if !other {
			continue
		}
		seen[i] = true
		f := kfinding{reason: reasonChanged}
		f.Function = c.name
		f.Message = fmt.Sprintf("the program uses %s of %s as a %s *; in this kernel it is %s", what, c.name, u.Relo.TypeName(), typ.C(""))
		f.Evidence = []string{"here: " + proto.C(c.name), at(u.Where, u.Line)}
		unless(&f, u.Unless)
		out = append(out, wrongArgument{f, i})
	}
	return out, nil
}

// protos are the signatures one of which the arguments in a program's context
// have; none if that is not known.
func (c *kcontext) protos() ([]kernel.Proto, error) {
	switch {
	case c.functions() && !c.multi():
		if !c.hook.HasOffset && !c.hook.HasAddress {
			return c.function.Protos, nil
		}
	case c.kind == hook.RawTracepoint && c.Missing(kernel.RawArgs) == "":
		r, known, found, err := c.raw(c.name)
		if err != nil || !known || !found {
			return nil, err
		}
		return []kernel.Proto{{Params: r.Params, Result: "0"}}, nil
	case c.kind == hook.LSM:
		l, found, err := c.lsmHook(c.name)
		if err != nil || !found {
			return nil, err
		}
		return []kernel.Proto{l.Proto}, nil
	}
	return nil, nil
}

// result is the number that stands for what a function returns.
const result = -1

// argument is the number of the argument that is read at an offset of the
// context; result for what the function returns.
func (c *kcontext) argument(offset int, r *bpfobj.Relocation, proto kernel.Proto) (n int, ok bool) {
	if c.kprobe() {
		if r != nil && ofRegisters(r) {
			offset = int(r.Offset)
		}
		n, ok := registers(c.id.Arch)[offset]
		if c.kind == hook.Kretprobe {
			return result, ok && offset == resultRegister(c.id.Arch)
		}
		return n, ok && n >= 0
	}
	if offset < 0 || offset%8 != 0 {
		return 0, false
	}
	slot := offset / 8
	for i, p := range proto.Params { // a struct of 16 bytes takes two slots
		size, err := core.Size(c.types, p.Type)
		if err != nil {
			return 0, false
		}
		slots := max(1, int(min(size, 1<<10)+7)/8)
		if slot < slots {
			return i, true
		}
		slot -= slots
	}
	if slot == 0 && (c.kind == hook.Fexit || c.kind == hook.LSM || c.session()) {
		return result, true
	}
	return len(proto.Params) + slot, true
}

// session tells whether the program runs at the entry and at the end.
func (c *kcontext) session() bool { return strings.HasPrefix(c.program.Section, "fsession") }

// absentArgument makes the finding that the function has no argument i.
func (c *kcontext) absentArgument(i int, proto kernel.Proto) (f kfinding, ok bool) {
	if i == result || i < len(proto.Params) || proto.Variadic {
		return f, false
	}
	f = kfinding{reason: reasonChanged}
	f.Function = c.name
	f.Message = fmt.Sprintf("the program reads argument %d of %s, which has %d in this kernel", i+1, c.name, len(proto.Params))
	if c.trampoline() || c.kind == hook.LSM || strings.HasPrefix(strings.TrimPrefix(c.program.Section, "?"), "tp_btf") {
		f.reason, f.plain = reasonRefusedProgram, blocks
		f.Message += ": the kernel refuses the program"
	} else {
		f.Message += ": it gets what the register or slot happens to hold"
	}
	return f, true
}

// otherType tells whether an argument cannot be what the program takes it for:
// a pointer to another struct, or no pointer.
func (c *kcontext) otherType(param kernel.Type, r *bpfobj.Relocation) (bool, error) {
	want := core.Essential(rootName(r))
	if want == "" || r.Root[0] != 's' && r.Root[0] != 'u' || r.Kind.Asks() {
		return false, nil
	}
	plain, err := core.Plain(c.types, param)
	if err != nil || plain == "" {
		return false, err
	}
	rest, pointer := strings.CutPrefix(string(plain), "*")
	if !pointer {
		size, err := core.Size(c.types, plain)
		return size > 0 && size < 8, err // a number of 8 bytes may hold an address
	}
	target, err := core.Plain(c.types, kernel.Type(rest))
	if err != nil {
		return false, err
	}
	name, ok := strings.CutPrefix(strings.TrimLeft(string(target), "cvr"), "s:")
	if !ok || name == want {
		return false, nil // void *, char *, something without a name
	}
	for _, pair := range [][2]string{{name, want}, {want, name}} { // a struct begins with the other
		begins, err := core.Begins(c.types, kernel.Type("s:"+pair[0]), kernel.Type("s:"+pair[1]))
		if begins != kernel.No || err != nil { // not known: not called wrong
			return false, err
		}
	}
	return true, nil
}

// registers gives the numbers of arguments by offset in struct pt_regs (user_pt_regs), in bytes.
func registers(a elfbin.Arch) map[int]int {
	switch a {
	case elfbin.AMD64:
		return map[int]int{112: 0, 104: 1, 96: 2, 88: 3, 72: 4, 64: 5, 80: result}
	case elfbin.ARM64:
		return map[int]int{0: 0, 8: 1, 16: 2, 24: 3, 32: 4, 40: 5, 48: 6, 56: 7}
	}
	return nil
}

// resultRegister is where struct pt_regs has what a function returns.
func resultRegister(a elfbin.Arch) int {
	if a == elfbin.AMD64 {
		return 80
	}
	return 0
}

// ofRegisters tells whether a relocation is about registers.
func ofRegisters(r *bpfobj.Relocation) bool {
	return slices.Contains([]string{"pt_regs", "user_pt_regs"}, core.Essential(rootName(r)))
}
