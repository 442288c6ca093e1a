package flow

import "fmt"

// x86CCWords are the conditions of Jcc by code.
var x86CCWords = [16]string{
	"OF=1", "OF=0", "CF=1", "CF=0", "ZF=1", "ZF=0", "CF=1 or ZF=1", "CF=0 and ZF=0",
	"SF=1", "SF=0", "PF=1", "PF=0", "SF!=OF", "SF=OF", "ZF=1 or SF!=OF", "ZF=0 and SF=OF",
}

// arm64CCWords are the conditions of B.cond by code.
var arm64CCWords = [16]string{
	"Z=1", "Z=0", "C=1", "C=0", "N=1", "N=0", "V=1", "V=0",
	"C=1 and Z=0", "C=0 or Z=1", "N=V", "N!=V", "Z=0 and N=V", "Z=1 or N!=V", "always", "always",
}

// arm64RegName names a general register of 32 or 64 bits.
func arm64RegName(reg, width uint8) string {
	letter := "x"
	if width == 32 {
		letter = "w"
	}
	if reg >= 31 {
		return letter + "zr"
	}
	return fmt.Sprintf("%s%d", letter, reg)
}
