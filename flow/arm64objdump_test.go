package flow

import (
	"bufio"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var objdumpWord = regexp.MustCompile(`^\s*([0-9a-f]+):\t([0-9a-f]{8}) +\t(.*)$`)

// TestKindsAgainstObjdump compares the kinds of arm64 instructions with
// objdump's reading of the cross compiler's C library.
func TestKindsAgainstObjdump(t *testing.T) {
	const objdump, path = "aarch64-linux-gnu-objdump", "/usr/aarch64-linux-gnu/lib/libc.so.6"
	if testing.Short() {
		t.Skip("reads a whole library")
	}
	out, err := exec.Command(objdump, "-d", path).Output()
	if err != nil {
		t.Skip(objdump, path, err)
	}
	total, wrong := 0, 0
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for lines.Scan() {
		m := objdumpWord.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		total++
		addr, _ := strconv.ParseUint(m[1], 16, 64)
		word, _ := strconv.ParseUint(m[2], 16, 32)
		in := decodeARM64(uint32(word), addr)
		fields := strings.Fields(m[3])
		want := kindOfARM64(fields[0])
		ok := in.Kind == want
		if want == Jump || want == CondJump || want == Call {
			target := ""
			for _, f := range fields {
				if len(f) > 2 && strings.Trim(f, "0123456789abcdef") == "" {
					target = f
				}
			}
			addr, err := strconv.ParseUint(target, 16, 64)
			ok = ok && err == nil && addr == in.Target
		}
		if !ok {
			if wrong++; wrong < 20 {
				t.Errorf("%s: got %+v", lines.Text(), in)
			}
		}
	}
	t.Logf("%d instructions, %d differ", total, wrong)
}

func kindOfARM64(op string) Kind {
	switch {
	case op == "b":
		return Jump
	case strings.HasPrefix(op, "b."), op == "cbz", op == "cbnz", op == "tbz", op == "tbnz":
		return CondJump
	case op == "bl":
		return Call
	case op == "br", strings.HasPrefix(op, "bra"):
		return IndirectJump
	case op == "blr", strings.HasPrefix(op, "blra"):
		return IndirectCall
	case op == "ret", op == "retaa", op == "retab", op == "eret":
		return Return
	case op == "brk", op == "hlt", op == "udf":
		return Trap
	}
	return Plain
}
