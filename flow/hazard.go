package flow

// Misread tells whether the uprobes of Linux take the x86-64 instruction that
// code begins with for another one: they look at the opcode byte of a VEX or
// EVEX instruction as if it had no prefix, find a jump, a call or a nop, and
// "emulate" that (branch_setup_xol_ops in arch/x86/kernel/uprobes.c). The
// traced program then computes wrong results; the attach says nothing.
// Seen on Linux 6.18 with opcodes 70 to 7f, e8 and eb.
func Misread(code []byte) bool {
	op, ok := vectorOpcode(code)
	if !ok {
		return false
	}
	return op >= 0x70 && op <= 0x7f || op == 0xe8 || op == 0xe9 || op == 0xeb || op == 0x90
}

// vectorOpcode gives the opcode byte of a VEX or EVEX instruction in 64-bit
// mode (Intel SDM vol. 2, 2.3.5 and 2.7.1).
func vectorOpcode(code []byte) (byte, bool) {
	for len(code) > 0 && segmentOrSize(code[0]) {
		code = code[1:]
	}
	skip := 0
	switch {
	case len(code) == 0:
		return 0, false
	case code[0] == 0xc5:
		skip = 2
	case code[0] == 0xc4:
		skip = 3
	case code[0] == 0x62:
		skip = 4
	default:
		return 0, false
	}
	if len(code) <= skip {
		return 0, false
	}
	return code[skip], true
}

// Locked tells whether the x86-64 instruction has a lock prefix: uprobes
// refuse these (is_prefix_bad in arch/x86/kernel/uprobes.c).
func Locked(code []byte) bool {
	for _, b := range code {
		switch {
		case b == 0xf0:
			return true
		case b != 0xf2 && b != 0xf3 && !segmentOrSize(b):
			return false
		}
	}
	return false
}

// Emulated tells whether the x86-64 instruction is one that every Linux emulates
// where it is probed, instead of stepping through a copy of it: a push of a
// register or a one-byte nop (push_setup_xol_ops, branch_setup_xol_ops in
// arch/x86/kernel/uprobes.c). Jumps and calls are not asked for.
func Emulated(code []byte) bool {
	if len(code) == 2 && code[0] == 0x41 { // REX.B: r8 to r15
		code = code[1:]
		return code[0] >= 0x50 && code[0] <= 0x57
	}
	return len(code) == 1 && (code[0] >= 0x50 && code[0] <= 0x57 || code[0] == 0x90)
}

// segmentOrSize tells whether a byte is a segment, operand-size or
// address-size prefix.
func segmentOrSize(b byte) bool {
	switch b {
	case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67:
		return true
	}
	return false
}
