package image

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// patches is where control goes in a kernel that its code as linked does not
// tell: jump labels are nops or jumps that the kernel turns into each other,
// alternatives are replaced when it starts, and a fault goes on elsewhere.
type patches struct {
	s        *source
	to       map[uint64][]uint64 // by address of the instruction
	flip     map[uint64]bool     // a jump there may become a nop
	labels   []label             // the jump labels
	replaced []elfbin.Range      // what alternatives replace, by address
	aux      elfbin.Range        // code behind the alternatives of static_cpu_has
	missing  string              // the table that the file does not name
}

// label is a jump label, a struct jump_entry.
type label struct {
	at, to uint64 // the instruction, and where it may jump to
	key    uint64 // the struct static_key
	jumps  bool   // while the key is enabled; else while it is not
}

// patches gives those of the kernel itself.
func (b *builder) patches() *patches {
	if b.patched == nil {
		b.patched = newPatches(b.core, b.layouts)
	}
	return b.patched
}

// newPatches reads the tables of jump labels, faults and alternatives.
func newPatches(s *source, l layouts) *patches {
	p := &patches{s: s, to: map[uint64][]uint64{}, flip: map[uint64]bool{}}
	// struct jump_entry: code, target (relative), key
	p.table("__start___jump_table", "__stop___jump_table", 16, true)
	// struct exception_table_entry: insn, fixup (relative), and what to do
	p.table("__start___ex_table", "__stop___ex_table", 12, false)
	p.alternatives(l)
	slices.SortFunc(p.replaced, func(a, b elfbin.Range) int { return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High)) })
	if s.elf == nil {
		return p
	}
	for _, sec := range s.elf.Sections() {
		if sec.Name == ".altinstr_aux" {
			p.aux = elfbin.Range{Low: sec.Addr, High: sec.Addr + sec.Size}
		}
	}
	return p
}

// table reads entries whose first two fields are offsets from themselves.
func (p *patches) table(start, stop string, step uint64, flip bool) {
	low, high, ok := p.s.bounds(start, stop)
	if !ok || high-low > maxTable {
		p.missing = cmp.Or(p.missing, start)
		return
	}
	for at := low; at+step <= high; at += step {
		if pair := p.s.prel32(at, at+8); len(pair) == 2 {
			p.to[pair[0]] = append(p.to[pair[0]], pair[1])
			if flip {
				p.flip[pair[0]] = true
				p.label(pair[0], pair[1], at+8)
			}
		}
	}
}

// label notes the key of a jump label; its lowest bits are flags.
func (p *patches) label(insn, to, at uint64) {
	const branch, flags = 1, 3
	if b := p.s.mem.Bytes(at, 8); len(b) == 8 {
		v := binary.LittleEndian.Uint64(b)
		p.labels = append(p.labels, label{insn, to, at + v&^flags, v&branch == 0})
	}
}

// replaces tells whether alternatives replace the instruction at an address.
func (p *patches) replaces(addr uint64) bool {
	i := sort.Search(len(p.replaced), func(i int) bool { return p.replaced[i].Low > addr })
	return i > 0 && p.replaced[i-1].Contains(addr)
}

// alternatives reads the struct alt_instr of all: where the code stands, what
// replaces it, and how long both are. x86 and arm64 name the fields otherwise.
func (p *patches) alternatives(l layouts) {
	low, high, ok := p.s.bounds("__alt_instructions", "__alt_instructions_end")
	size := l.size("alt_instr")
	if !ok || size < 10 || high-low > maxTable {
		p.missing = cmp.Or(p.missing, "__alt_instructions")
		return
	}
	field := func(x86, arm64 string) uint64 {
		off, ok := l.offset("alt_instr", x86)
		if !ok {
			off, _ = l.offset("alt_instr", arm64)
		}
		return off
	}
	orig, repl := field("instr_offset", "orig_offset"), field("repl_offset", "alt_offset")
	origLen, replLen := field("instrlen", "orig_len"), field("replacementlen", "alt_len")
	if orig == repl || origLen < 8 || replLen < 8 {
		p.missing = cmp.Or(p.missing, "struct alt_instr")
		return
	}
	for at := low; at+size <= high; at += size {
		from, to := p.s.prel32(at+orig, at+orig+4), p.s.prel32(at+repl, at+repl+4)
		n, old := p.s.mem.Bytes(at+replLen, 1), p.s.mem.Bytes(at+origLen, 1)
		if len(from) == 1 && len(to) == 1 && len(n) == 1 && len(old) == 1 {
			p.flip[from[0]] = true
			p.replaced = append(p.replaced, elfbin.Range{Low: from[0], High: from[0] + uint64(old[0])})
			p.to[from[0]] = append(p.to[from[0]], p.jumpsOf(elfbin.Range{Low: to[0], High: to[0] + uint64(n[0])})...)
		}
	}
}

// jumpsOf gives where some code jumps to.
func (p *patches) jumpsOf(code elfbin.Range) (out []uint64) {
	calls, err := flow.Calls(p.s.mem, p.s.arch, []elfbin.Range{code})
	if err != nil {
		return nil // it lies nowhere: it is no code
	}
	for _, c := range calls {
		if c.Tail {
			out = append(out, c.To)
		}
	}
	return out
}

// auxLen bounds what stands in .altinstr_aux for one question: a test, a
// conditional and an unconditional jump (arch/x86/include/asm/cpufeature.h).
const auxLen = 20

// jumps is sites.Options.Jumps.
func (p *patches) jumps(in *flow.Insn) []uint64 {
	out := p.to[in.Addr]
	if in.Kind != flow.Jump {
		return out
	}
	out = out[:len(out):len(out)]
	if p.flip[in.Addr] {
		out = append(out, in.End())
	}
	if p.aux.Contains(in.Target) {
		out = append(out, p.afterTest(in.Target)...)
	}
	return out
}

// afterTest gives where the code in .altinstr_aux goes on: up to its first
// unconditional jump.
func (p *patches) afterTest(at uint64) []uint64 {
	b := p.s.mem.Bytes(at, auxLen)
	for i := 0; i+5 <= len(b); i++ {
		if b[i] == 0xe9 { // jmp rel32
			to := at + uint64(i) + 5 + uint64(int64(int32(binary.LittleEndian.Uint32(b[i+1:]))))
			return append(p.jumpsOf(elfbin.Range{Low: at, High: at + uint64(i)}), to)
		}
	}
	return nil
}
