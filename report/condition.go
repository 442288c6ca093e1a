package report

import (
	"fmt"

	"github.com/surehook/surehook/flow"
)

// x86 condition codes by the low nibble of Jcc (Intel SDM vol. 2, appendix B.1.4).
var x86Codes = [16]string{"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"}

// arm64 condition codes (Arm ARM C1.2.4).
var arm64Codes = [16]string{"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"}

// Condition says in words when a hit counts; "" if it always does.
func Condition(c flow.Cond) string {
	yes := "taken"
	if c.Negate {
		yes = "not taken"
	}
	switch c.Op {
	case flow.Always:
		return ""
	case flow.X86CC:
		return "j" + x86Codes[c.Code&15] + " " + yes
	case flow.X86RCXZ:
		if c.Width == 32 {
			return "jecxz " + yes
		}
		return "jrcxz " + yes
	case flow.X86Loop:
		return "loop " + yes
	case flow.X86LoopE:
		return "loope " + yes
	case flow.X86LoopNE:
		return "loopne " + yes
	case flow.ARM64CC:
		return "b." + arm64Codes[c.Code&15] + " " + yes
	case flow.ARM64CBZ:
		return fmt.Sprintf("cbz %s %s", arm64Register(c.Reg, c.Width), yes)
	case flow.ARM64TBZ:
		return fmt.Sprintf("tbz %s, #%d %s", arm64Register(c.Reg, 64), c.Bit, yes)
	case flow.RegTarget, flow.MemTarget:
		if c.Negate {
			return fmt.Sprintf("jump does not go to %+#x from here", c.Delta)
		}
		return fmt.Sprintf("jump goes to %+#x from here", c.Delta)
	}
	return fmt.Sprintf("condition %d %s", c.Op, yes)
}

func arm64Register(reg, width uint8) string {
	letter := "x"
	if width == 32 {
		letter = "w"
	}
	if reg >= 31 {
		return letter + "zr"
	}
	return fmt.Sprintf("%s%d", letter, reg)
}
