package sites

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
)

//go:embed testdata/tiny-gcc
var tinyGCC []byte

//go:embed testdata/tiny-clang
var tinyClang []byte

// open makes a Binary of an ELF file's bytes.
func open(data []byte) (*Binary, error) {
	f, err := elfbin.New(bytes.NewReader(data), int64(len(data)), "tiny")
	if err != nil {
		return nil, err
	}
	return New(f, Options{})
}

// outline is what a result says, in words, without texts.
func outline(results []Result) []string {
	var out []string
	for _, r := range results {
		out = append(out, fmt.Sprintf("%s: plain %s, plan %s", r.Function, r.Plain.Verdict, r.Plan.Verdict))
		for _, s := range r.Sites {
			line := fmt.Sprintf("  %s %s+%#x", s.Kind, s.Symbol, s.Offset)
			for _, c := range s.Callers {
				line += fmt.Sprintf(" < %s:%d", c.Function, c.Line)
			}
			out = append(out, line+conditionWord(s))
		}
	}
	return out
}

func conditionWord(s Site) string {
	if s.Cond.Op == 0 {
		return ""
	}
	return " if " + s.Cond.String()
}

// TestTiny: a small program of gcc and of clang, built once.
func TestTiny(t *testing.T) {
	tests := []struct {
		name, hook string
		data       []byte
		want       []string
	}{
		{"gcc", "drain", tinyGCC, []string{
			"drain: plain none, plan complete",
			"  inlined act+0x19 < act:32 if jumps to pc+0x7",
			"  inlined act+0x38 < act:37",
			"  inlined loop+0x2e < loop:52 if not (ZF=1 or SF!=OF)",
		}},
		{"clang", "drain", tinyClang, []string{
			"drain: plain none, plan complete",
			"  inlined act+0x1d < act:32",
			"  inlined act+0x56 < act:37",
			"  inlined loop+0x31 < loop:52",
		}},
		{"gcc", "act", tinyGCC, []string{"act: plain complete, plan complete", "  entry act+0x0"}},
		{"gcc", "l*", tinyGCC, []string{"loop: plain complete, plan complete", "  entry loop+0x0"}},
		{"gcc", "act+0x9", tinyGCC, []string{"act: plain complete, plan complete", "  offset act+0x9"}},
		{"gcc", "act+0xa", tinyGCC, []string{"act: plain none, plan none"}},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/"+tt.hook, func(t *testing.T) {
			b, err := open(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			h, err := hook.Parse("uprobe:tiny:" + tt.hook)
			if err != nil {
				t.Fatal(err)
			}
			results, err := b.Resolve(h)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, outline(results)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	b, err := open(tinyGCC)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ hook, want string }{
		{"act0", "did you mean act?"},
		{"z*", "no function matches"},
		{"act+0xffff", "behind the end of act"},
		{"0x10", "no code of the file lies there"},
	}
	for _, tt := range tests {
		h, err := hook.Parse("uprobe:tiny:" + tt.hook)
		if err != nil {
			t.Fatal(err)
		}
		results, err := b.Resolve(h)
		var missing *NotFoundError
		var address *AddressError
		if err == nil || len(results) > 0 || !errors.As(err, &missing) && !errors.As(err, &address) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d results, %v; want %q", tt.hook, len(results), err, tt.want)
		}
	}
}

// resolveTime is far more than the analysis of so small a file can take,
// however it is damaged.
const resolveTime = 10 * time.Second

// FuzzResolve damages a program. A patch is a sequence of (offset, 2 bytes
// little endian; value, 1 byte): most of the file stays whole, so that the
// damage reaches the core. A file that is still readable has results for
// everything or an error.
func FuzzResolve(f *testing.F) {
	f.Add(uint8(0), []byte(nil), "*")
	f.Add(uint8(1), []byte(nil), "add")
	f.Add(uint8(0), []byte{0x19, 0x10, 0xe9, 0x10, 0x00, 0x01}, "drain")
	f.Add(uint8(1), []byte{0x28, 0x00, 0xff, 0x3c, 0x00, 0xff}, "act+4")
	f.Add(uint8(2), []byte{0x00, 0x10, 0xf3}, "0x401000")
	f.Fuzz(func(t *testing.T, which uint8, patch []byte, function string) {
		data := tinyGCC
		if which&1 != 0 {
			data = tinyClang
		}
		data = bytes.Clone(data)
		for ; len(patch) >= 3; patch = patch[3:] {
			at := int(patch[0]) | int(patch[1])<<8
			data[at%len(data)] = patch[2]
		}
		start := time.Now()
		b, err := open(data)
		if (b == nil) == (err == nil) {
			t.Fatalf("binary %v, error %v", b, err)
		}
		if err != nil {
			return
		}
		for _, name := range []string{"uprobe:tiny:*", "uretprobe:tiny:*", "uprobe:tiny:" + function, "uretprobe:tiny:" + function} {
			h, err := hook.Parse(name)
			if err != nil {
				continue
			}
			results, err := b.Resolve(h)
			if (len(results) == 0) == (err == nil) {
				t.Fatalf("%s: %d results, error %v", name, len(results), err)
			}
			for i := range results {
				checkResult(t, b, &results[i])
			}
		}
		if took := time.Since(start); took > resolveTime {
			t.Fatalf("took %v", took)
		}
	})
}

// checkResult tests what holds of every result.
func checkResult(t *testing.T, b *Binary, r *Result) {
	t.Helper()
	for _, j := range []Judgement{r.Plain, r.Plan} {
		switch j.Verdict {
		case Complete, Partial, None, Unknown:
		default:
			t.Fatalf("%s: verdict %q", r.Function, j.Verdict)
		}
		if len(j.Reasons) == 0 {
			t.Fatalf("%s: %s without a reason", r.Function, j.Verdict)
		}
	}
	if (r.Plan.Verdict == Complete || r.Plan.Verdict == Partial) && len(r.Sites) == 0 {
		t.Fatalf("%s: %s without a site", r.Function, r.Plan.Verdict)
	}
	type place struct {
		addr uint64
		cond flow.Cond
		ret  bool
	}
	seen := map[place]bool{}
	for _, s := range r.Sites {
		if off, ok := b.file.FileOffset(s.Address); !ok || off != s.FileOffset {
			t.Fatalf("%s: site at %#x has file offset %#x, the file says %#x", r.Function, s.Address, s.FileOffset, off)
		}
		k := place{s.Address, s.Cond, s.Return}
		if seen[k] {
			t.Fatalf("%s: two sites at %#x under %v", r.Function, s.Address, s.Cond)
		}
		seen[k] = true
	}
}
