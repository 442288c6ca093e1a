package bpfobj

// value is what is known of a register or a stack slot.
type value struct {
	kind  valueKind
	n     int64 // a constant; of pointers: bytes added
	slot  int   // of a fromContext: offset in the context it was loaded from; of a frame: depth of the function
	width int   // of a fromContext: how many bytes were loaded
	relo  int   // 1 + index of the relocation whose offset is in it; 0 if none
	name  string
}

type valueKind uint8

const (
	anything    valueKind = iota
	constant              // n
	context               // the program's context, plus n
	frame                 // a function's stack, plus n
	fromContext           // what was loaded from the context, plus n
	settings              // address of a variable that the loader may set before the program runs
	setting               // value of one
	external              // address of a kernel's symbol or of a variable in .kconfig
)

func number(n int64) value { return value{kind: constant, n: n} }

// join is what is known where control comes from two places.
func join(a, b value) value {
	if a == b {
		return a
	}
	return value{}
}

// state is what is known before an instruction.
type state struct {
	regs  [11]value
	stack map[stackSlot]value
}

// stackSlot is 8 bytes of the stack of a function, by its depth.
type stackSlot struct {
	depth int
	at    int64
}

func (s *state) clone() *state {
	c := &state{regs: s.regs, stack: make(map[stackSlot]value, len(s.stack))}
	for k, v := range s.stack {
		c.stack[k] = v
	}
	return c
}

// merge joins o into s and tells whether s changed.
func (s *state) merge(o *state) bool {
	changed := false
	for i := range s.regs {
		if j := join(s.regs[i], o.regs[i]); j != s.regs[i] {
			s.regs[i], changed = j, true
		}
	}
	for k, v := range s.stack {
		if o.stack[k] != v {
			delete(s.stack, k)
			changed = true
		}
	}
	return changed
}

// forget drops what is known of the stack from an address up to its end, or
// of n bytes.
func (s *state) forget(p value, n int64) {
	for k := range s.stack {
		if k.depth == p.slot && k.at+8 > p.n && (n < 0 || k.at < p.n+n) {
			delete(s.stack, k)
		}
	}
}
