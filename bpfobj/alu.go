package bpfobj

// compute gives the result of an ALU operation on two values.
func compute(op uint8, wide bool, a, b value) value {
	if op == opMov {
		if wide || b.kind == constant {
			if !wide {
				b.n = int64(uint32(b.n))
			}
			return b
		}
		if b.kind == fromContext && b.n == 0 && b.relo == 0 || b.kind == setting { // the low half of it is still that argument
			return b
		}
		return value{}
	}
	if a.kind == constant && b.kind == constant {
		return fold(op, wide, a, b)
	}
	switch {
	case op == opAdd && wide && b.kind == constant:
		return moved(a, b, b.n)
	case op == opSub && wide && b.kind == constant:
		return moved(a, b, -b.n)
	case op == opAdd && wide && a.kind == constant:
		return moved(b, a, a.n)
	case a.kind == setting && b.kind == constant && (op == opAnd || op == opLsh || op == opRsh):
		return a // one bit of it, or another width
	case op == opAnd && b == number(1<<32-1) && a.kind == fromContext && a.n == 0:
		return a
	case op == opAnd && a.kind == constant && a.n == 0, op == opAnd && b.kind == constant && b.n == 0:
		return number(0)
	case (op == opLsh || op == opRsh || op == opArsh) && wide && b == number(32) && a.kind == fromContext && a.n == 0:
		return a // how compilers cut an argument to 32 bits
	case op == opAdd && b.relo != 0 && a.relo == 0: // an offset that is not known
		a.relo = b.relo
		return a
	}
	return value{}
}

// moved is a pointer with n bytes added, which may be a relocation's.
func moved(p, by value, n int64) value {
	switch {
	case p.kind == context && p.n+n == int64(int32(p.n+n)), p.kind == frame, p.kind == fromContext:
		p.n += n
	default:
		p = value{}
	}
	if by.relo != 0 {
		p.relo = by.relo
	}
	return p
}

// fold computes with constants.
func fold(op uint8, wide bool, a, b value) value {
	x, y := uint64(a.n), uint64(b.n)
	if !wide {
		x, y = uint64(uint32(x)), uint64(uint32(y))
	}
	bits := uint64(63)
	if !wide {
		bits = 31
	}
	switch op {
	case opAdd:
		x += y
	case opSub:
		x -= y
	case opMul:
		x *= y
	case opOr:
		x |= y
	case opAnd:
		x &= y
	case opXor:
		x ^= y
	case opLsh:
		x <<= y & bits
	case opRsh:
		x >>= y & bits
	case opArsh:
		if wide {
			x = uint64(int64(x) >> (y & bits))
		} else {
			x = uint64(uint32(int32(uint32(x)) >> (y & bits)))
		}
	default:
		return value{}
	}
	if !wide {
		x = uint64(uint32(x))
	}
	v := number(int64(x))
	if op == opAdd { // the sum of two offsets is one of the field behind both
		v.relo = b.relo
		if v.relo == 0 {
			v.relo = a.relo
		}
	}
	return v
}

// taken tells which ways a branch on two values can go.
func taken(op uint8, wide bool, a, b value) (jumps, falls bool) {
	if a.kind != constant || b.kind != constant {
		return true, true
	}
	x, y := uint64(a.n), uint64(b.n)
	sx, sy := a.n, b.n
	if !wide {
		x, y = uint64(uint32(x)), uint64(uint32(y))
		sx, sy = int64(int32(sx)), int64(int32(sy))
	}
	is := false
	switch op {
	case opJEQ:
		is = x == y
	case opJNE:
		is = x != y
	case opJGT:
		is = x > y
	case opJGE:
		is = x >= y
	case opJLT:
		is = x < y
	case opJLE:
		is = x <= y
	case opJSET:
		is = x&y != 0
	case opJSGT:
		is = sx > sy
	case opJSGE:
		is = sx >= sy
	case opJSLT:
		is = sx < sy
	case opJSLE:
		is = sx <= sy
	default:
		return true, true
	}
	return is, !is
}
