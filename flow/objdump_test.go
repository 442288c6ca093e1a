package flow

import (
	"bufio"
	"debug/elf"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var objdumpLine = regexp.MustCompile(`^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(\S.*)?$`)

// TestBoundariesAgainstObjdump reads every executable section of files of
// this machine and compares instruction starts and lengths with objdump.
func TestBoundariesAgainstObjdump(t *testing.T) {
	if testing.Short() {
		t.Skip("reads whole libraries")
	}
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("objdump is not installed")
	}
	files := strings.Fields(os.Getenv("FLOW_OBJDUMP_FILES"))
	if len(files) == 0 {
		files = []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"}
	}
	for _, path := range files {
		t.Run(path, func(t *testing.T) { compareWithObjdump(t, objdump, path) })
	}
}

func compareWithObjdump(t *testing.T, objdump, path string) {
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	im := openImage(t, path)
	if im.file.Machine != elf.EM_X86_64 {
		t.Skip("not an x86-64 file")
	}
	cmd := exec.Command(objdump, "-d", "-z", "--wide", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	total, wrong := 0, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		m := objdumpLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		total++
		addr, _ := strconv.ParseUint(m[1], 16, 64)
		want := len(m[2]) / 3
		if strings.HasPrefix(m[2], "9b ") {
			want = 1 // fwait is an instruction of its own: objdump merges it with fstcw and fstsw
		}
		bad := strings.HasPrefix(m[3], "(bad)")
		in, ok := decodeX86(im.Bytes(addr, x86MaxLen), addr)
		if bad && !ok || ok && int(in.Len) == want && kindOfText(m[3]) == in.Kind {
			continue
		}
		wrong++
		if wrong <= 40 {
			t.Errorf("%s: got ok=%v %+v", lines.Text(), ok, in)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d instructions, %d differ", total, wrong)
}

// kindOfText classifies objdump's text.
func kindOfText(s string) Kind {
	words := strings.Fields(s)
	for len(words) > 1 && objdumpPrefix[words[0]] || len(words) > 1 && strings.HasPrefix(words[0], "rex") {
		words = words[1:]
	}
	if len(words) == 0 {
		return Plain
	}
	op, _, _ := strings.Cut(words[0], ",")
	indirect := len(words) > 1 && strings.HasPrefix(words[1], "*")
	switch {
	case op == "jmp" && indirect, op == "ljmp":
		return IndirectJump
	case op == "jmp":
		return Jump
	case strings.HasPrefix(op, "j"), strings.HasPrefix(op, "loop"):
		return CondJump
	case op == "call" && indirect, op == "lcall":
		return IndirectCall
	case op == "call":
		return Call
	case op == "ret", op == "lret", op == "iret", op == "iretq", op == "retq", strings.HasPrefix(op, "sysret"), op == "sysexit":
		return Return
	case op == "ud2", op == "ud1", op == "ud0", op == "hlt", op == "int3":
		return Trap
	}
	return Plain
}

var objdumpPrefix = map[string]bool{
	"bnd": true, "notrack": true, "rep": true, "repz": true, "repnz": true, "data16": true, "lock": true,
	"cs": true, "ds": true, "es": true, "ss": true, "fs": true, "gs": true, "addr32": true, "xacquire": true, "xrelease": true,
}
