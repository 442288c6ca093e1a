package flow

import "testing"

func TestDecodeARM64(t *testing.T) {
	type want struct {
		kind   Kind
		target uint64
		cond   string
		nop    bool
	}
	for _, c := range []struct {
		word uint32
		asm  string
		want want
	}{
		{0x14000004, "b", want{kind: Jump, target: at + 16}},
		{0x17ffffff, "b -4", want{kind: Jump, target: at - 4}},
		{0x94000004, "bl", want{kind: Call, target: at + 16}},
		{0x54000040, "b.eq", want{kind: CondJump, target: at + 8, cond: "Z=1"}},
		{0x54000051, "bc.ne", want{kind: CondJump, target: at + 8, cond: "Z=0"}},
		{0x54ffffe8, "b.hi -4", want{kind: CondJump, target: at - 4, cond: "C=1 and Z=0"}},
		{0x34000043, "cbz w3", want{kind: CondJump, target: at + 8, cond: "w3 == 0"}},
		{0xb5000044, "cbnz x4", want{kind: CondJump, target: at + 8, cond: "not (x4 == 0)"}},
		{0x36180045, "tbz w5, #3", want{kind: CondJump, target: at + 8, cond: "bit 3 of x5 is 0"}},
		{0xb7f80046, "tbnz x6, #63", want{kind: CondJump, target: at + 8, cond: "not (bit 63 of x6 is 0)"}},
		{0xb4ffffff, "cbz xzr -4", want{kind: CondJump, target: at - 4, cond: "xzr == 0"}},
		{0xd61f0200, "br x16", want{kind: IndirectJump}},
		{0xd71f0a11, "braa x16, x17", want{kind: IndirectJump}},
		{0xd61f0a1f, "braaz x16", want{kind: IndirectJump}},
		{0xd63f0200, "blr x16", want{kind: IndirectCall}},
		{0xd73f0a11, "blraa x16, x17", want{kind: IndirectCall}},
		{0xd65f03c0, "ret", want{kind: Return}},
		{0xd65f0bff, "retaa", want{kind: Return}},
		{0xd65f0fff, "retab", want{kind: Return}},
		{0xd69f03e0, "eret", want{kind: Return}},
		{0xd4200020, "brk #1", want{kind: Trap}},
		{0xd4400000, "hlt", want{kind: Trap}},
		{0x00000000, "udf #0", want{kind: Trap}},
		{0xd4000001, "svc #0", want{}},
		{0xd503201f, "nop", want{nop: true}},
		{0xd503245f, "bti c", want{nop: true}},
		{0xd503249f, "bti j", want{nop: true}},
		{0xd50324df, "bti jc", want{nop: true}},
		{0xd503233f, "paciasp", want{}},
		{0xd503205f, "wfe", want{}},
		{0xf9400000, "ldr x0, [x0]", want{}},
		{0xb8e10000, "ldaddal w1, w0, [x0]", want{}},
		{0x1d000400, "mops set", want{}},
	} {
		in := decodeARM64(c.word, at)
		got := want{in.Kind, in.Target, "", in.Nop}
		if in.Kind == CondJump {
			got.cond = in.Cond.String()
		}
		if got != c.want || in.Len != 4 || in.Addr != at {
			t.Errorf("%s: got %+v, want %+v", c.asm, got, c.want)
		}
	}
	if c := decodeARM64(0xd61f0200, at).Cond; c.Op != RegTarget || c.Reg != 16 {
		t.Errorf("br x16: %#v", c)
	}
	if c := decodeARM64(0xd61f0a1f, at).Cond; c.Op != Always {
		t.Errorf("braaz x16: its register holds a signed pointer, got %#v", c)
	}
}

func TestARM64BitMask(t *testing.T) {
	for _, c := range []struct {
		n, imms, immr uint32
		size          uint8
		want          uint64
	}{
		{0, 6, 0, 32, 0x7f},                  // and w, w, #0x7f
		{1, 2, 0, 64, 7},                     // and x, x, #7
		{1, 60, 61, 64, ^uint64(7)},          // and x, x, #-8
		{0, 0x3c, 0, 64, 0x5555555555555555}, // repeated
		{0, 0x3f, 0, 64, 0},                  // none
	} {
		if got := arm64BitMask(c.n, c.imms, c.immr, c.size); got != c.want {
			t.Errorf("%+v: got %#x", c, got)
		}
	}
}
