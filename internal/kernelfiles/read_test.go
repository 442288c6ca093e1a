package kernelfiles

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"
)

func TestDecompress(t *testing.T) {
	text := strings.Repeat("a kernel ", 100000)
	cmd := exec.Command("xz", "-c")
	cmd.Stdin = strings.NewReader(text)
	packed, err := cmd.Output()
	if err != nil {
		t.Skip("no xz: ", err)
	}
	in, err := Decompress("xz", bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(in)
	if err != nil || string(got) != text {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	if in, err = Decompress("xz", bytes.NewReader(packed[:len(packed)-20])); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(in); err == nil {
		t.Error("a truncated stream gives no error")
	}
	if in, err = Decompress("xz", bytes.NewReader(packed)); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil { // early
		t.Error(err)
	}
}
