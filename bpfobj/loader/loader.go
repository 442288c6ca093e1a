package loader

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Kind is what an executable does with a program.
type Kind uint8

// The kinds.
const (
	LeavesOut Kind = iota // it calls bpf_program__set_autoload
	Names                 // it says at run time what the program is attached to
	Attaches              // it attaches the program by itself, apart from the others
)

func (k Kind) String() string {
	return [...]string{"leaves out", "names target", "attaches"}[k]
}

// Act is a call that decides about a program.
type Act struct {
	Kind Kind
	// Target is the function that it names; "" if that is not in the code.
	Target string
	Where  uint64 // virtual address of the call
}

// Skeleton is the struct that bpftool makes of an object, whose members the
// executable's code reads: one pointer for each program.
type Skeleton struct {
	First    int // offset of the first program's pointer, in bytes
	Programs int
}

// index is the program whose pointer is at an offset; false if there is none.
func (s Skeleton) index(offset int64) (int, bool) {
	i := (offset - int64(s.First)) / 8
	return int(i), offset >= int64(s.First) && (offset-int64(s.First))%8 == 0 && i < int64(s.Programs)
}

// Result is what is done with the programs.
type Result struct {
	// Acts are by skeleton, then by program.
	Acts [][][]Act
	// NotKnown says why they cannot be told, or not all; "" if they are all.
	NotKnown string
}

// maxCode bounds the code that is read. Tools of libbpf have below 1 MB, agents
// written in Go, which do not use libbpf, up to 100 MB.
const maxCode = 16 << 20

var errNoCode = errors.New("it has no code")

// Read reads an executable of size bytes that carries objects with these
// skeletons. That something cannot be told is in the result; the error is of r.
func Read(r io.ReaderAt, size int64, skeletons []Skeleton) (Result, error) {
	out := Result{}
	for _, s := range skeletons {
		out.Acts = append(out.Acts, make([][]Act, s.Programs))
	}
	p, err := open(r, size)
	if why := (*notRead)(nil); errors.As(err, &why) {
		out.NotKnown = why.Error()
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.NotKnown = p.acts(&out, skeletons)
	for _, programs := range out.Acts {
		for i := range programs {
			slices.SortFunc(programs[i], compare)
			programs[i] = slices.Compact(programs[i])
		}
	}
	return out, nil
}

func compare(a, b Act) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Where, b.Where))
}

// acts follows the calls and says what cannot be told.
func (p *program) acts(out *Result, skeletons []Skeleton) string {
	lib, why := p.library()
	if why != "" {
		return why
	}
	j := newJudge(p, lib, skeletons, out)
	for i := range j.calls {
		j.call(&j.calls[i])
	}
	return ""
}

// notRead says why a file's code is not read.
type notRead struct{ why string }

func (e *notRead) Error() string { return e.why }

func unread(format string, args ...any) error { return &notRead{fmt.Sprintf(format, args...)} }
