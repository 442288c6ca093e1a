package image

import (
	"bytes"
	"context"
	"os"
	"testing"
)

// FuzzKernel: a damaged vmlinux or module gives an error or a snapshot.
func FuzzKernel(f *testing.F) {
	vmlinux, err := os.ReadFile(buildKernel(f))
	if err != nil {
		f.Fatal(err)
	}
	module, err := os.ReadFile(buildModule(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(vmlinux, module)
	f.Fuzz(func(t *testing.T, vmlinux, module []byte) {
		in := []Input{{"vmlinux", bytes.NewReader(vmlinux), int64(len(vmlinux))}, {"module.ko", bytes.NewReader(module), int64(len(module))}}
		s, err := Read(context.Background(), Options{}, in...)
		if (err == nil) == (s == nil) {
			t.Fatalf("%v and %v", s, err)
		}
	})
}
