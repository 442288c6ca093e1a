package loader

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// library is the part of libbpf that is found in an executable it is linked
// into. There are no names in stripped executables; what a function does with
// struct bpf_program tells it.
type library struct {
	autoload uint64 // bpf_program__set_autoload
	target   uint64 // bpf_program__set_attach_target; 0 if it is not linked
	lowest   uint64 // where code of libbpf begins
}

// endbr is endbr64, which begins functions that are called by address.
var endbr = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// notLinked says what it means that libbpf is not found.
const notLinked = "libbpf's bpf_program__set_autoload is not found in its code: what the loader does with its programs is not known"

// library looks for libbpf.
func (p *program) library() (library, string) {
	var lib library
	object, checked := byte(0), []byte(nil)
	found := 0
	for at, length := range p.autoloads() {
		lib.autoload, found = p.base+uint64(at), found+1
		object, checked = p.code[at+3], p.code[at+4:at+length]
		if bytes.HasSuffix(p.code[:at], endbr) {
			lib.autoload -= uint64(len(endbr))
		}
	}
	if found != 1 {
		return lib, notLinked
	}
	starts := p.targets()
	lib.target = p.attachTarget(object, checked, starts)
	lib.lowest = p.lowest(lib.autoload)
	return lib, ""
}

// autoloads finds the functions that do what bpf_program__set_autoload does:
//
//	mov   O(%rdi),%rax       prog->obj
//	cmpb  $0,L(%rax)         ->loaded; since libbpf 1.6 cmpl $1,S(%rax): ->state
//	jne
//	mov   %sil,A(%rdi)       prog->autoload
//	xor   %eax,%eax
//	ret
//
// bpf_map__set_autocreate is like it; the object is the first member there,
// and the flag is beyond 127. It gives the offset of the first instruction and
// the length of the two.
func (p *program) autoloads() map[int]int {
	out := map[int]int{}
	store, end := []byte{0x40, 0x88, 0x77}, []byte{0x31, 0xc0, 0xc3}
	for from := 0; ; {
		i := bytes.Index(p.code[from:], store)
		if i < 0 {
			return out
		}
		i += from
		from = i + 1
		if !bytes.HasPrefix(p.code[min(i+4, len(p.code)):], end) {
			continue
		}
		for _, length := range []int{4 + 7, 4 + 4, 4 + 3} { // the compare has 7 bytes, 4 or 3
			at := i - 2 - length
			if at >= 0 && bytes.Equal(p.code[at:at+3], []byte{0x48, 0x8b, 0x47}) && compares(p.code[at+4:at+length]) && p.code[i-2]&0xf0 == 0x70 {
				out[at] = length
			}
		}
	}
}

// compares tells whether an instruction compares a member of what rax or rdi
// points to with a small number.
func compares(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	register := b[1] & 7
	return (b[0] == 0x80 || b[0] == 0x83) && b[1]>>3&7 == 7 && (register == 0 || register == 7)
}

// near is how far behind its beginning a function looks at its arguments, at
// most: it first saves registers and the stack protector's value.
const near = 96

// attachTarget finds bpf_program__set_attach_target: it tests that its second
// argument, attach_prog_fd, is not negative, and that the object is not loaded.
func (p *program) attachTarget(object byte, checked []byte, starts []uint64) uint64 {
	for from := 0; ; {
		i := bytes.Index(p.code[from:], []byte{0x85, 0xf6}) // test %esi,%esi
		if i < 0 {
			return 0
		}
		i += from
		from = i + 1
		rest := p.code[i+2:]
		switch {
		case len(rest) > 6 && rest[0] == 0x0f && rest[1] == 0x88: // js
			rest = rest[6:]
		case len(rest) > 2 && rest[0] == 0x78:
			rest = rest[2:]
		default:
			continue
		}
		address := p.base + uint64(i)
		n, _ := slices.BinarySearch(starts, address+1)
		if n > 0 && address-starts[n-1] < near && loads(rest[:min(len(rest), 32)], object, checked) {
			return starts[n-1]
		}
	}
}

// loads tells whether code loads the object of a program from rdi, and checks it
// as set_autoload does.
func loads(code []byte, object byte, checked []byte) bool {
	for ; len(code) >= 4+len(checked); code = code[1:] {
		check := code[4:]
		if code[0] == 0x48 && code[1] == 0x8b && code[2]&0xc7 == 0x47 && code[3] == object &&
			check[0] == checked[0] && check[1]&^7 == checked[1]&^7 && bytes.Equal(check[2:len(checked)], checked[2:]) {
			return true
		}
	}
	return false
}

// targets gives where calls lead, sorted. Bytes that only look like a call make
// some that are none.
func (p *program) targets() []uint64 {
	var out []uint64
	for i := 0; i+5 <= len(p.code); i++ {
		if to, ok := p.called(i); ok {
			out = append(out, to)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// called is where the call at an offset of the code leads.
func (p *program) called(i int) (uint64, bool) {
	if p.code[i] != 0xe8 {
		return 0, false
	}
	to := p.base + uint64(i) + 5 + uint64(int64(int32(binary.LittleEndian.Uint32(p.code[i+1:]))))
	return to, p.at(to) != nil
}

// lowest is where libbpf begins: what it calls is libbpf's own, or a stub that
// leads to another library. The tool's code is linked before it.
func (p *program) lowest(autoload uint64) uint64 {
	low := autoload
	for i := int(autoload - p.base); i+5 <= len(p.code); i++ {
		if to, ok := p.called(i); ok && to < low && !p.stub(to) && p.aligned(to) {
			low = to
		}
	}
	return low
}

// aligned tells whether a function may begin at an address: compilers put them
// at multiples of 16.
func (p *program) aligned(address uint64) bool { return address%16 == 0 }

// stub tells whether there is an entry of the procedure linkage table: a jump
// through memory.
func (p *program) stub(address uint64) bool {
	b := p.at(address)
	b = bytes.TrimPrefix(b, endbr)
	b = bytes.TrimPrefix(b, []byte{0xf2}) // bnd
	return len(b) > 1 && b[0] == 0xff && b[1] == 0x25
}
