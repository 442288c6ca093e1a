package sites

import (
	"testing"

	"github.com/surehook/surehook/elfbin"
)

// TestPrefix: a loop of the caller comes back to the copy over reloads in
// front of where it is first entered.
func TestPrefix(t *testing.T) {
	bd := assembled(t, `85ff   ; 0 test edi, edi
		eb02   ; 2 jmp 6
		89d8   ; 4 mov eax, ebx  copy: reload
		01c8   ; 6 add eax, ecx  copy
		83ef01 ; 8 sub edi, 1
		75f7   ; b jne 4
		c3     ; d ret`)
	r := bd.regionOf([]elfbin.Range{at(4, 8)})
	edges := bd.addPrefixes(r, bd.entries(r))
	got := map[[2]uint64]bool{}
	for _, e := range edges {
		got[[2]uint64{bd.graph.Insns[e.from].Addr - codeBase, bd.graph.Insns[e.to].Addr - codeBase}] = true
	}
	if len(got) != 2 || !got[[2]uint64{2, 6}] || !got[[2]uint64{0xb, 4}] {
		t.Errorf("edges %v, want 2 to 6 and b to 4", got)
	}
}

// TestPrefixPadding: padding falls into the copy, but nothing comes that way.
func TestPrefixPadding(t *testing.T) {
	bd := assembled(t, `eb06   ; 0 jmp 8
		0f1f00 ; 2 nopl (rax)
		83c001 ; 5 add eax, 1   copy
		83f80a ; 8 cmp eax, 10  copy
		72f8   ; b jb 5         copy
		c3     ; d ret`)
	r := bd.regionOf([]elfbin.Range{at(5, 0xd)})
	if edges := bd.addPrefixes(r, bd.entries(r)); len(edges) != 1 {
		t.Errorf("%d edges, want the one from the jump", len(edges))
	}
}
