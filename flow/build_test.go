package flow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/surehook/surehook/elfbin"
)

// shape64 is a function of machine code, listed as "hex ; offset assembly".
type shape64 struct {
	name string
	arch elfbin.Arch
	want string // "jump: target target..." or "tail jump", offsets
	code string
	data string
}

// assemble gives the bytes of a listing.
func assemble(t testing.TB, listing string) []byte {
	var b []byte
	for line := range strings.Lines(listing) {
		h, _, _ := strings.Cut(line, ";")
		b = append(b, code(t, h)...)
	}
	return b
}

func (s shape64) options(t testing.TB) Options {
	b := assemble(t, s.code)
	img := memory{base: at, b: append(slices.Clone(b), code(t, s.data)...), code: len(b)}
	return Options{Arch: s.arch, Image: img, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + uint64(len(b))}}}
}

// listing writes a graph's edges as offsets from the base.
func listing(g *Graph) string {
	var out strings.Builder
	for _, e := range g.Edges() {
		if e.Kind != Fall || g.Insns[e.From].Kind != Plain {
			fmt.Fprintf(&out, "%x %s %x\n", g.Insns[e.From].Addr-at, [...]string{"falls", "jumps", "table"}[e.Kind], g.Insns[e.To].Addr-at)
		}
	}
	return out.String()
}

func build(t testing.TB, opts Options) *Graph {
	t.Helper()
	g, err := Build(opts)
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, g)
	return g
}

func TestShapes(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			g := build(t, s.options(t))
			var got []string
			for _, i := range g.tableJumps() {
				line := fmt.Sprintf("%#x:", g.Insns[i].Addr-at)
				for _, e := range g.Succ(i) {
					line += fmt.Sprintf(" %#x", g.Insns[e.To].Addr-at)
				}
				got = append(got, line)
			}
			for _, i := range g.Tails {
				got = append(got, fmt.Sprintf("tail %#x", g.Insns[i].Addr-at))
			}
			for _, i := range g.Unresolved {
				got = append(got, fmt.Sprintf("unresolved %#x", g.Insns[i].Addr-at))
			}
			if got := strings.Join(got, "\n"); got != s.want {
				t.Errorf("got %q, want %q", got, s.want)
			}
		})
	}
}

const loopListing = `
f3 0f 1e fa                   ; 000 endbr64
53                            ; 004 push %rbx
89 fb                         ; 005 mov %edi,%ebx
85 db                         ; 007 test %ebx,%ebx
74 09                         ; 009 je 401014
e8 fb 0f 00 00                ; 00b call 40200b
ff cb                         ; 010 dec %ebx
eb f3                         ; 012 jmp 401007
5b                            ; 014 pop %rbx
c3                            ; 015 ret
`

func TestBuildLoop(t *testing.T) {
	opts := shape64{arch: elfbin.AMD64, code: loopListing}.options(t)
	g := build(t, opts)
	want := "9 falls b\n9 jumps 14\nb falls 10\n12 jumps 7\n"
	if d := cmp.Diff(want, listing(g)); d != "" {
		t.Error(d)
	}
	if i, ok := g.Covering(at + 0xd); !ok || g.Insns[i].Addr != at+0xb {
		t.Errorf("Covering: %d %v", i, ok)
	}
	if _, ok := g.At(at + 0xd); ok {
		t.Error("an instruction begins inside of another")
	}
	if _, ok := g.Covering(at + 0x16); ok {
		t.Error("an instruction covers the end")
	}

	opts.NoReturn = func(addr uint64) bool { return addr == 0x40200b }
	g = build(t, opts)
	if d := cmp.Diff("9 falls b\n9 jumps 14\n12 jumps 7\n", listing(g)); d != "" {
		t.Error(d)
	}
	if i, _ := g.At(at + 0xb); !g.Insns[i].NoReturn {
		t.Error("the call is not marked")
	}
	seen := g.Reachable([]int32{g.Entry}, nil)
	if i, _ := g.At(at + 0x10); seen[i] {
		t.Error("what follows a call that never returns is reachable")
	}
	stop, _ := g.At(at + 9)
	seen = g.Reachable([]int32{g.Entry}, func(i int32) bool { return i == stop })
	if n := slices.Index(seen, false); int32(n) != stop {
		t.Errorf("the walk went on to %d", n)
	}
}

func TestBuildEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   string
		ranges []elfbin.Range
		want   string
		out    int
		bad    []uint64
	}{
		{name: "a call at the end does not return", code: "e8 00 00 00 00", ranges: []elfbin.Range{{Low: 0, High: 5}}},
		{name: "ranges that touch are one", code: "90 e8 00 00 00 00 c3", ranges: []elfbin.Range{{Low: 6, High: 7}, {Low: 0, High: 6}},
			want: "1 falls 6\n"},
		{name: "a jump to another range and back", code: "eb 04 c3 cc cc cc eb fa", ranges: []elfbin.Range{{Low: 0, High: 3}, {Low: 6, High: 8}},
			want: "0 jumps 6\n6 jumps 2\n"},
		{name: "a jump out of the ranges", code: "75 7f eb 7e", ranges: []elfbin.Range{{Low: 0, High: 4}}, want: "0 falls 2\n", out: 2},
		{name: "unreadable bytes", code: "06 90 c3", ranges: []elfbin.Range{{Low: 0, High: 3}}, bad: []uint64{at}},
		{name: "an instruction cut off", code: "90 e8 00", ranges: []elfbin.Range{{Low: 0, High: 3}}, bad: []uint64{at + 1}},
		{name: "both ways lead to one place", code: "74 00 c3", ranges: []elfbin.Range{{Low: 0, High: 3}}, want: "0 falls 2\n0 jumps 2\n"},
		{name: "over the lock prefix", code: "74 01 f0 0f b1 0f c3", ranges: []elfbin.Range{{Low: 0, High: 7}}, want: "0 falls 2\n0 jumps 3\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := code(t, c.code)
			opts := Options{Arch: elfbin.AMD64, Image: memory{at, b, len(b)}, Entry: at}
			for _, r := range c.ranges {
				opts.Ranges = append(opts.Ranges, elfbin.Range{Low: at + r.Low, High: at + r.High})
			}
			g := build(t, opts)
			if d := cmp.Diff(c.want, listing(g)); d != "" {
				t.Error(d)
			}
			if len(g.Out) != c.out {
				t.Errorf("%d jumps out, want %d", len(g.Out), c.out)
			}
			if d := cmp.Diff(c.bad, g.Bad[:min(1, len(g.Bad))]); d != "" && len(c.bad)+len(g.Bad) > 0 {
				t.Error(d)
			}
		})
	}
}

func TestBuildLabels(t *testing.T) {
	// 0: xbegin 8; 6: nop; 7: ret; 8: ret; 9: ret
	b := code(t, "c7 f8 02 00 00 00 90 c3 c3 c3")
	opts := Options{Arch: elfbin.AMD64, Image: memory{at, b, len(b)}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + 10}},
		Labels: []uint64{at + 9, at + 1}}
	g := build(t, opts)
	var got []uint64
	for _, i := range g.Labels {
		got = append(got, g.Insns[i].Addr-at)
	}
	if !slices.Equal(got, []uint64{8, 9}) {
		t.Errorf("labels %#x", got)
	}
	if len(g.Roots()) != 3 {
		t.Errorf("roots %v", g.Roots())
	}
}

func TestBuildErrors(t *testing.T) {
	img := memory{at, []byte{0x90, 0xc3}, 2}
	_, err := Build(Options{Arch: elfbin.UnknownArch, Image: img})
	if e := (*ArchError)(nil); !errors.As(err, &e) {
		t.Error(err)
	}
	_, err = Build(Options{Arch: elfbin.AMD64, Image: img, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + 3}}})
	if e := (*CodeError)(nil); !errors.As(err, &e) || e.Have != 2 {
		t.Error(err)
	}
	_, err = Build(Options{Arch: elfbin.AMD64, Image: img, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + 1<<40}}})
	if e := (*SizeError)(nil); !errors.As(err, &e) {
		t.Error(err)
	}
	g := build(t, Options{Arch: elfbin.AMD64, Image: img, Entry: at, Ranges: nil})
	if g.Entry != -1 || len(g.Insns) != 0 {
		t.Errorf("%+v", g)
	}
}

func TestTableCond(t *testing.T) {
	for _, s := range shapes {
		if !strings.Contains(s.want, ":") {
			continue
		}
		g := build(t, s.options(t))
		for _, e := range g.Edges() {
			c, ok := g.TableCond(e)
			if ok != (e.Kind == Table) {
				t.Fatalf("%s: %+v: %v", s.name, e, ok)
			}
			if !ok {
				continue
			}
			regs := Regs{PC: g.Insns[e.From].Addr, Mem: func(uint64) (uint64, bool) { return g.Insns[e.To].Addr, true }}
			for r := range regs.GPR {
				regs.GPR[r] = g.Insns[e.To].Addr
			}
			if !c.Holds(regs) {
				t.Errorf("%s: %s does not hold at its own target", s.name, c)
			}
			for _, other := range g.Succ(e.From) {
				if oc, _ := g.TableCond(other); other != e && oc.Holds(regs) {
					t.Errorf("%s: %s holds at another's target", s.name, oc)
				}
			}
		}
	}
}

// TestBuildManyJumps has each of many jumps lead to all of them: the work must
// stay within the limits, and the answer right.
func TestBuildManyJumps(t *testing.T) {
	const n, size = 400, 8
	table := uint32(at + n*size)
	var b []byte
	for range n {
		b = append(b, 0xff, 0x24, 0xc5, byte(table), byte(table>>8), byte(table>>16), byte(table>>24), 0x90)
	}
	for i := range uint64(n) {
		b = binary.LittleEndian.AppendUint64(b, at+i*size)
	}
	opts := Options{Arch: elfbin.AMD64, Image: memory{at, b, n * size}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + n*size}}}
	start := time.Now()
	g := build(t, opts)
	if len(g.Unresolved) > 0 || len(g.tableJumps()) != n || len(g.Succ(0)) != n {
		t.Errorf("%d unresolved, %d jumps, %d targets", len(g.Unresolved), len(g.tableJumps()), len(g.Succ(0)))
	}
	t.Log(time.Since(start))
}

func TestAnalysisGivesUp(t *testing.T) {
	for _, s := range shapes {
		b, g, err := newGraph(s.options(t))
		if err != nil {
			t.Fatal(err)
		}
		var jumps []int32
		for i, in := range g.Insns {
			if in.Kind == IndirectJump {
				jumps = append(jumps, int32(i))
			}
		}
		a := newAnalysis(b, g)
		a.limit = 0
		a.run(jumps)
		a.conclude(jumps)
		if len(g.Unresolved) != len(jumps) {
			t.Errorf("%s: the limit was reached, and yet only %d of %d jumps are unresolved", s.name, len(g.Unresolved), len(jumps))
		}
	}
}
