package accuracy

import (
	"bytes"
	"debug/elf"
	"fmt"
)

// goPlaces moves the places of Go functions behind the check of the stack: a
// function that must grow its stack begins again, and its first instruction is
// executed twice. The instructions are those of cmd/internal/obj/x86's
// stacksplit.
func goPlaces(path string, b *image) (map[uint64]function, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := f.Section(".text")
	if text == nil {
		return nil, fmt.Errorf("%s: no section .text", path)
	}
	code, err := text.Data()
	if err != nil {
		return nil, err
	}
	at := map[uint64]function{}
	for addr, fn := range b.atBody {
		if addr < text.Addr || addr-text.Addr >= uint64(len(code)) {
			return nil, fmt.Errorf("%s: %s is not in .text", path, fn)
		}
		at[addr+uint64(stackCheck(code[addr-text.Addr:]))] = fn
	}
	return at, nil
}

// stackCheck is the length of the check that code begins with, 0 for none.
func stackCheck(code []byte) int {
	n := 0
	for _, lea := range []struct {
		opcode []byte // lea r12, [rsp-frame]
		length int
	}{{[]byte{0x4c, 0x8d, 0x64, 0x24}, 5}, {[]byte{0x4c, 0x8d, 0xa4, 0x24}, 8}} {
		if bytes.HasPrefix(code, lea.opcode) {
			n = lea.length
		}
	}
	if n > len(code) {
		return 0
	}
	// cmp rsp or r12, [r14+16]
	if rest := code[n:]; !bytes.HasPrefix(rest, []byte{0x49, 0x3b, 0x66, 0x10}) && !bytes.HasPrefix(rest, []byte{0x4d, 0x3b, 0x66, 0x10}) {
		return 0
	}
	n += 4
	switch rest := code[n:]; {
	case bytes.HasPrefix(rest, []byte{0x76}): // jbe
		return n + 2
	case bytes.HasPrefix(rest, []byte{0x0f, 0x86}):
		return n + 6
	}
	return 0
}
