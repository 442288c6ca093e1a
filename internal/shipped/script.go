package shipped

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/bpfobj/bpftrace"
)

// isScript tells whether a file is a script of bpftrace: by its name, or by
// its first line.
func isScript(name string, head []byte) bool {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	return strings.HasSuffix(name, ".bt") || bytes.HasPrefix(first, []byte("#!")) && bytes.Contains(first, []byte("bpftrace"))
}

// maxText is how much of a text is read: more than its reader takes.
const maxText = 1<<20 + 1

// readScript reads a script. One that bpftrace rejects is a file all the same:
// that it is rejected is what there is to say about it.
func readScript(r io.ReaderAt, size int64, name string) (*bpfobj.File, error) {
	text, err := io.ReadAll(io.NewSectionReader(r, 0, min(size, maxText)))
	if err != nil {
		return nil, err
	}
	f, err := bpftrace.Read(text, name)
	if e := (*bpftrace.SyntaxError)(nil); errors.As(err, &e) {
		return &bpfobj.File{Path: name, Kind: bpfobj.Script, Rejected: &bpfobj.Rejection{Place: bpfobj.Place{Line: e.Line, Column: e.Column}, Reason: e.Reason}}, nil
	}
	return f, err
}
