// Package caller is the program that calls what is measured: one function or
// system call in a tight loop, in a process of its own that does nothing else.
//
// Its source is in src; "go generate" builds it for both architectures, and
// manifest.json says with which compiler.
package caller

//go:generate go run ./gen

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"runtime"

	"github.com/surehook/surehook/elfbin"
)

//go:embed caller_amd64.gz
var amd64 []byte

//go:embed caller_arm64.gz
var arm64 []byte

// maxProgram bounds what is unpacked: arm64 pads its segments to 64 kB.
const maxProgram = 1 << 20

// Call is what the program can call.
type Call int

// The calls, as the table in caller.c has them. A user function is named after
// its first instruction.
const (
	Getpgid Call = iota // the system call getpgid of the process itself
	Nop
	Push
	Endbr // endbr64, bti on arm64
	Ret
	Nop5  // on arm64 as Nop
	Nop10 // on arm64 as Nop
	USDT
)

// symbols are where a probe of each call is put.
var symbols = [...]string{"", "f_nop", "f_push", "f_endbr64", "f_ret", "f_nop5", "f_nop10", "usdt"}

// Program gives the ELF file for an architecture, as GOARCH.
func Program(arch string) ([]byte, error) {
	packed, ok := map[string][]byte{"amd64": amd64, "arm64": arm64}[arch]
	if !ok {
		return nil, fmt.Errorf("there is no caller for %s; there are for amd64 and arm64", arch)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("caller for %s: %w", arch, err)
	}
	return io.ReadAll(io.LimitReader(r, maxProgram))
}

// Place is where a probe goes, in offsets of the file.
type Place struct {
	Probe     uint64
	Semaphore uint64 // of USDT; else 0
}

// Where gives the place of a user function's probe in the program for this machine.
func Where(c Call) (Place, error) {
	b, err := Program(runtime.GOARCH)
	if err != nil {
		return Place{}, err
	}
	if c <= Getpgid || int(c) >= len(symbols) {
		return Place{}, fmt.Errorf("call %d is no user function", c)
	}
	f, err := elfbin.New(bytes.NewReader(b), int64(len(b)), "caller")
	if err != nil {
		return Place{}, err
	}
	var p Place
	if p.Probe, err = offset(f, symbols[c]); err != nil || c != USDT {
		return p, err
	}
	p.Semaphore, err = dataOffset(f, "semaphore")
	return p, err
}

func offset(f *elfbin.File, symbol string) (uint64, error) {
	s := f.Lookup(symbol)
	if len(s) != 1 {
		return 0, fmt.Errorf("caller: %d symbols %q", len(s), symbol)
	}
	at, ok := f.FileOffset(s[0].Value)
	if !ok {
		return 0, fmt.Errorf("caller: %q is not in its code", symbol)
	}
	return at, nil
}

// dataOffset is offset for what is in a section of data.
func dataOffset(f *elfbin.File, symbol string) (uint64, error) {
	s := f.Lookup(symbol)
	if len(s) != 1 {
		return 0, fmt.Errorf("caller: %d symbols %q", len(s), symbol)
	}
	for _, of := range f.Sections() {
		if s[0].Value >= of.Addr && s[0].Value < of.Addr+of.Size && of.Addr != 0 {
			return s[0].Value - of.Addr + of.Offset, nil
		}
	}
	return 0, fmt.Errorf("caller: %q is in no section", symbol)
}
