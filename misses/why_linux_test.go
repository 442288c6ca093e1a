package misses

import (
	"strings"
	"testing"
)

func TestHelperSymbols(t *testing.T) {
	byAddress, base, err := readHelperSymbols(strings.NewReader("0000000000001000 T __bpf_call_base\n0000000000002000 t alias\n0000000000002000 T bpf_x\n0000000000002000 T other\n0000000000003000 D data\n"))
	if err != nil || base != 0x1000 || byAddress[0x2000] != "bpf_x" || byAddress[0x3000] != "" {
		t.Errorf("%v %#x %v", err, base, byAddress)
	}
	for _, text := range []string{"", "0000000000000000 T __bpf_call_base\n", "zz T f\n"} {
		if _, _, err := readHelperSymbols(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
