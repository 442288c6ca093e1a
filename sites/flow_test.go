package sites

import (
	hexcode "encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// codeBase is where the code of these tests lies.
const codeBase = 0x1000

// code is a flow.Image of machine code at codeBase.
type code []byte

func (c code) Bytes(addr uint64, n int) []byte {
	if addr < codeBase || addr >= codeBase+uint64(len(c)) {
		return nil
	}
	b := c[addr-codeBase:]
	return b[:min(n, len(b))]
}

func (c code) Pointer(uint64) (uint64, bool) { return 0, false }
func (c code) Executable(addr uint64) bool   { return c.Bytes(addr, 1) != nil }

// assembled is a body of hand-assembled x86-64 code; everything behind a
// semicolon is a comment.
func assembled(t *testing.T, text string) *body {
	t.Helper()
	var b strings.Builder
	for _, l := range strings.Split(text, "\n") {
		l, _, _ = strings.Cut(l, ";")
		b.WriteString(strings.ReplaceAll(strings.TrimSpace(l), " ", ""))
	}
	image, err := hexcode.DecodeString(b.String())
	if err != nil {
		t.Fatal(err)
	}
	bd := &body{arch: elfbin.AMD64, image: code(image)}
	bd.graph, err = flow.Build(flow.Options{
		Arch: bd.arch, Image: bd.image, Entry: codeBase,
		Ranges: []elfbin.Range{{Low: codeBase, High: codeBase + uint64(len(image))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	bd.findRoots()
	return bd
}

// at is a range relative to codeBase.
func at(low, high uint64) elfbin.Range {
	return elfbin.Range{Low: codeBase + low, High: codeBase + high}
}

type edgeTest struct {
	name   string
	code   string
	region []elfbin.Range
	edges  [][2]int64 // from (-1: from outside the graph), to; relative to codeBase
	points []pointAt
	lost   int
	known  string // why it does not work yet
}

// pointAt is a place with the condition, in words, that must hold there.
type pointAt struct {
	addr uint64
	cond string
}

func edgeTests() []edgeTest {
	return []edgeTest{
		{
			name: "straight",
			code: `85ff   ; 0 test edi, edi
				7405   ; 2 je 9
				83c001 ; 4 add eax, 1   copy
				89c2   ; 7 mov edx, eax copy
				c3     ; 9 ret`,
			region: []elfbin.Range{at(4, 9)},
			edges:  [][2]int64{{2, 4}}, points: []pointAt{{4, "always"}},
		},
		{
			name: "loop head behind a branch",
			code: `83ff03 ; 0 cmp edi, 3
				7606   ; 3 jbe b
				89f8   ; 5 mov eax, edi copy
				d1ef   ; 7 shr edi, 1   copy
				75fa   ; 9 jne 5        copy
				c3     ; b ret`,
			region: []elfbin.Range{at(5, 0xb)},
			edges:  [][2]int64{{3, 5}}, points: []pointAt{{3, "not jbe"}},
		},
		{
			name: "loop head behind a branch and padding",
			code: `83ff03 ; 0 cmp edi, 3
				7609   ; 3 jbe e
				0f1f00 ; 5 nopl (rax)
				89f8   ; 8 mov eax, edi copy
				d1ef   ; a shr edi, 1   copy
				75fa   ; c jne 8        copy
				c3     ; e ret`,
			region: []elfbin.Range{at(8, 0xe)},
			edges:  [][2]int64{{5, 8}}, points: []pointAt{{3, "not jbe"}},
		},
		{
			name: "loop head that a branch jumps to",
			code: `83ff03 ; 0 cmp edi, 3
				7701   ; 3 ja 6
				c3     ; 5 ret
				89f8   ; 6 mov eax, edi copy
				d1ef   ; 8 shr edi, 1   copy
				75fa   ; a jne 6        copy
				c3     ; c ret`,
			region: []elfbin.Range{at(6, 0xc)},
			edges:  [][2]int64{{3, 6}}, points: []pointAt{{3, "ja"}},
		},
		{
			name: "loop of the caller",
			code: `31c9   ; 0 xor ecx, ecx
				89f8   ; 2 mov eax, edi copy
				d1ef   ; 4 shr edi, 1   copy
				83c101 ; 6 add ecx, 1
				83f905 ; 9 cmp ecx, 5
				75f4   ; c jne 2
				c3     ; e ret`,
			region: []elfbin.Range{at(2, 6)},
			edges:  [][2]int64{{0, 2}, {0xc, 2}}, points: []pointAt{{2, "always"}},
		},
		{
			name: "loop in a loop of the caller",
			code: `31c9   ; 0 xor ecx, ecx
				89f8   ; 2 mov eax, edi copy
				d1ef   ; 4 shr edi, 1   copy
				75fa   ; 6 jne 2        copy
				83c101 ; 8 add ecx, 1
				83f905 ; b cmp ecx, 5
				75f2   ; e jne 2
				c3     ; 10 ret`,
			region: []elfbin.Range{at(2, 8)},
			edges:  [][2]int64{{0, 2}, {0xe, 2}}, points: []pointAt{{0, "always"}, {0xe, "jne"}},
		},
		{
			name: "hole",
			code: `31c9   ; 0 xor ecx, ecx
				89f8   ; 2 mov eax, edi copy
				83c101 ; 4 add ecx, 1
				d1ef   ; 7 shr edi, 1   copy
				c3     ; 9 ret`,
			region: []elfbin.Range{at(2, 4), at(7, 9)},
			edges:  [][2]int64{{0, 2}}, points: []pointAt{{2, "always"}},
		},
		{
			name: "two beginnings",
			code: `85ff   ; 0 test edi, edi
				7404   ; 2 je 8
				89f8   ; 4 mov eax, edi copy
				eb02   ; 6 jmp a        copy
				31c0   ; 8 xor eax, eax
				d1ef   ; a shr edi, 1   copy
				c3     ; c ret`,
			region: []elfbin.Range{at(4, 8), at(0xa, 0xc)},
			edges:  [][2]int64{{2, 4}, {8, 0xa}}, points: []pointAt{{4, "always"}, {8, "always"}},
		},
		{
			name: "both arms lead there",
			code: `85ff   ; 0 test edi, edi
				7400   ; 2 je 4
				89f8   ; 4 mov eax, edi copy
				c3     ; 6 ret`,
			region: []elfbin.Range{at(4, 6)},
			edges:  [][2]int64{{2, 4}, {2, 4}}, points: []pointAt{{4, "always"}},
		},
		{
			name: "at the function's entry",
			code: `89f8   ; 0 mov eax, edi copy
				d1ef   ; 2 shr edi, 1   copy
				c3     ; 4 ret`,
			region: []elfbin.Range{at(0, 4)},
			edges:  [][2]int64{{-1, 0}}, points: []pointAt{{0, "always"}},
		},
		{
			name: "loop at the function's entry",
			code: `89f8   ; 0 mov eax, edi copy
				d1ef   ; 2 shr edi, 1   copy
				75fa   ; 4 jne 0        copy
				c3     ; 6 ret`,
			region: []elfbin.Range{at(0, 6)},
			edges:  [][2]int64{{-1, 0}}, lost: 1,
		},
		{
			name: "repeated instruction first",
			code: `85ff   ; 0 test edi, edi
				7405   ; 2 je 9
				f348ab ; 4 rep stosq    copy
				89c2   ; 7 mov edx, eax copy
				c3     ; 9 ret`,
			region: []elfbin.Range{at(4, 9)},
			edges:  [][2]int64{{2, 4}}, points: []pointAt{{7, "always"}},
		},
		{
			name: "padding first",
			code: `85ff   ; 0 test edi, edi
				7407   ; 2 je b
				0f1f440000 ; 4 nopl     copy
				89c2   ; 9 mov edx, eax copy
				c3     ; b ret`,
			region: []elfbin.Range{at(4, 0xb)},
			edges:  [][2]int64{{4, 9}}, points: []pointAt{{9, "always"}},
		},
		{
			// A landing pad, or a jump's target that is not known.
			name: "nothing known leads there",
			code: `c3   ; 0 ret
				89f8   ; 1 mov eax, edi copy
				c3     ; 3 ret`,
			region: []elfbin.Range{at(1, 3)},
			edges:  [][2]int64{{-1, 1}}, points: []pointAt{{1, "always"}},
		},
		{
			name: "decided by rcx",
			code: `89fa   ; 0 mov edx, edi
				e302   ; 2 jrcxz 6
				31c0   ; 4 xor eax, eax
				89f8   ; 6 mov eax, edi copy
				d1ef   ; 8 shr edi, 1   copy
				75fa   ; a jne 6        copy
				c3     ; c ret`,
			region: []elfbin.Range{at(6, 0xc)},
			edges:  [][2]int64{{2, 6}, {4, 6}}, points: []pointAt{{2, "jrcxz"}, {4, "always"}},
		},
	}
}

// TestEdges: where a copy is entered, and where each way in is counted.
func TestEdges(t *testing.T) {
	for _, tt := range edgeTests() {
		t.Run(tt.name, func(t *testing.T) {
			bd := assembled(t, tt.code)
			edges := bd.entries(bd.regionOf(tt.region))
			var got [][2]int64
			for _, e := range edges {
				from := int64(-1)
				if e.from >= 0 {
					from = int64(bd.graph.Insns[e.from].Addr - codeBase)
				}
				got = append(got, [2]int64{from, int64(bd.graph.Insns[e.to].Addr - codeBase)})
			}
			if diff := cmp.Diff(tt.edges, got); diff != "" {
				t.Errorf("edges: -want +got:\n%s", diff)
			}
			points, lost := bd.place(edges)
			var at []pointAt
			for _, p := range points {
				at = append(at, pointAt{bd.graph.Insns[p.insn].Addr - codeBase, words(p.cond)})
			}
			diff := cmp.Diff(tt.points, at, cmp.AllowUnexported(pointAt{}))
			if len(lost) != tt.lost {
				diff += "lost edges"
			}
			switch {
			case tt.known != "" && diff != "":
				t.Skip("known: " + tt.known)
			case tt.known != "":
				t.Error("it works now: take the known mark away")
			case diff != "":
				t.Errorf("%d edges lost, want %d; points: -want +got:\n%s", len(lost), tt.lost, diff)
			}
		})
	}
}

// words names the conditions that these tests use.
func words(c flow.Cond) string {
	s := "?"
	switch {
	case c.Op == flow.Always:
		s = "always"
	case c.Op == flow.X86RCXZ:
		s = "jrcxz"
	case c.Op == flow.X86CC:
		s = map[uint8]string{5: "jne", 6: "jbe", 7: "ja"}[c.Code]
	}
	if c.Negate {
		s = "not " + s
	}
	return s
}

// TestCounted plays every test's code through: however the branches go, each
// way into the copy is counted exactly once.
func TestCounted(t *testing.T) {
	for _, tt := range edgeTests() {
		if tt.known != "" || tt.lost > 0 {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			bd := assembled(t, tt.code)
			edges := bd.entries(bd.regionOf(tt.region))
			points, _ := bd.place(edges)
			entry := map[flow.Edge]bool{}
			for _, e := range edges {
				for _, f := range bd.graph.Pred(e.to) {
					if f.From == e.from {
						entry[f] = true
					}
				}
			}
			// Every walk of at most that many instructions.
			var walk func(i int32, steps, truth, hits int)
			walk = func(i int32, steps, truth, hits int) {
				succ := bd.graph.Succ(i)
				if len(succ) == 0 {
					if hits += hitsAt(bd, points, i, nil); truth != hits {
						t.Fatalf("%d hits for %d entries", hits, truth)
					}
					return
				}
				for _, e := range succ {
					n := truth
					if entry[e] {
						n++
					}
					if steps > 0 {
						walk(e.To, steps-1, n, hits+hitsAt(bd, points, i, &e))
					}
				}
			}
			start := 0
			if edges[0].from < 0 && edges[0].to == bd.graph.Entry {
				start = 1
			}
			walk(bd.graph.Entry, 18, start, 0)
		})
	}
}

// hitsAt counts the points at an instruction whose condition holds when control
// goes on along the edge, nil where it ends.
func hitsAt(bd *body, points []point, i int32, e *flow.Edge) (n int) {
	for _, p := range points {
		always := p.cond.Op == flow.Always
		if p.insn == i && (always || e != nil && (e.Kind == flow.Taken) == (p.cond == bd.graph.Insns[i].Cond)) {
			n++
		}
	}
	return n
}

// TestReach: avoiding an instruction avoids what only it leads to.
func TestReach(t *testing.T) {
	bd := assembled(t, `85ff ; 0 test edi, edi
		7404 ; 2 je 8
		89f8 ; 4 mov eax, edi
		eb02 ; 6 jmp a
		31c0 ; 8 xor eax, eax
		c3   ; a ret`)
	avoid := make([]bool, len(bd.graph.Insns))
	avoid[2] = true // the mov
	got := bd.reach(bd.roots, avoid)
	if diff := cmp.Diff([]bool{true, true, false, false, true, true}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHazard: what must not be probed.
func TestHazard(t *testing.T) {
	bd := assembled(t, `f30f1efa ; endbr64
		90         ; nop
		0f1f00     ; nopl (rax)
		0f1f440000 ; the nop that tracers patch
		6690       ; xchg ax, ax
		f3aa       ; rep stosb
		aa         ; stosb
		c3`)
	want := []bool{false, false, true, true, true, true, false, false}
	var got []bool
	for i := range bd.graph.Insns {
		got = append(got, bd.hazard(int32(i)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
