package elfbin

import (
	"debug/elf"
	"testing"
)

// TestInterposed: see case interposed for whole libraries.
func TestInterposed(t *testing.T) {
	im := linked(elf.EM_X86_64, code(".plt", 0x3000, jump(0x3000, 0x4028, "", 16)...))
	f := im.open(t)
	for name := range f.Interposed() {
		for _, s := range f.Lookup(name) {
			if !s.Defined() {
				t.Errorf("%s is not defined here", name)
			}
		}
	}
	if got := (image{}).open(t).Interposed(); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
