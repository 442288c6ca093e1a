package flow

import (
	"testing"

	"github.com/surehook/surehook/elfbin"
)

// maxFuzz keeps one input below the time the fuzzer allows.
const maxFuzz = 4096

func FuzzBuildAMD64(f *testing.F) {
	f.Add([]byte{0xc3}, uint16(0), uint16(0))
	f.Add(code(f, "74 01 f0 0f b1 0f c3"), uint16(0), uint16(0))
	f.Add(code(f, "48 8d 05 f9 ff ff ff 8d 34 bd 00 00 00 00 ff e0 ff 24 c5 00 10 40 00 e2 f0"), uint16(2), uint16(9))
	fuzzBuild(f, elfbin.AMD64)
}

func FuzzBuildARM64(f *testing.F) {
	f.Add([]byte{0xc0, 0x03, 0x5f, 0xd6}, uint16(0), uint16(0))
	f.Add(code(f, "01 00 00 90 21 00 01 91 20 48 60 38 61 00 00 10 20 88 20 8b 00 00 1f d6 c0 03 5f d6"), uint16(4), uint16(13))
	fuzzBuild(f, elfbin.ARM64)
}

// fuzzBuild reads arbitrary bytes as two ranges of code with data behind, and
// checks that the graph is sound.
func fuzzBuild(f *testing.F, arch elfbin.Arch) {
	for _, s := range shapes {
		if s.arch == arch {
			b := append(assemble(f, s.code), code(f, s.data)...)
			f.Add(b, uint16(0), uint16(len(b)/2))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, entry, split uint16) {
		if len(b) > maxFuzz {
			return
		}
		img := memory{at, b, len(b)}
		end := uint64(at + len(b))
		mid := min(uint64(at)+uint64(split), end)
		ranges := []elfbin.Range{{Low: mid, High: end}, {Low: at, High: mid - min(uint64(split)%5, mid-at)}}
		opts := Options{Arch: arch, Image: img, Entry: at + uint64(entry), Ranges: ranges, Labels: []uint64{mid},
			NoReturn: func(addr uint64) bool { return addr%3 == 0 }}
		g, err := Build(opts)
		if err != nil {
			t.Fatal(err)
		}
		checkGraph(t, g)
		g.Reachable(g.Roots(), nil)
		for _, e := range g.Edges() {
			if c, ok := g.TableCond(e); ok {
				_ = c.String()
			}
		}
		NeverReturns(opts, nil)
		if _, err := Calls(img, arch, ranges); err != nil {
			t.Fatal(err)
		}
		if _, err := AddressesTaken(img, arch, ranges); err != nil {
			t.Fatal(err)
		}
	})
}
