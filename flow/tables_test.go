package flow

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/elfbin"
)

// TestCompiledSwitches builds testdata/switches.c with the compilers of this
// machine: no jump may stay unresolved, and the targets must be exactly those
// that the linker's relocations name.
func TestCompiledSwitches(t *testing.T) {
	if testing.Short() {
		t.Skip("runs compilers")
	}
	compilers := []string{
		"gcc", "clang", "aarch64-linux-gnu-gcc",
		"clang --target=aarch64-linux-gnu -fuse-ld=lld", "gcc -fcf-protection=full",
		"clang -fcf-protection=full", "aarch64-linux-gnu-gcc -mbranch-protection=standard -mcpu=neoverse-n1",
	}
	flags := []string{"-O0 -fPIE -pie", "-O1 -fPIE -pie", "-O2 -fPIE -pie", "-O3 -fPIE -pie", "-Os -fPIE -pie", "-O2 -fno-pie -no-pie", "-O0 -fno-pie -no-pie"}
	for _, cc := range compilers {
		for _, flag := range flags {
			t.Run(cc+" "+flag, func(t *testing.T) {
				t.Parallel()
				checkSwitches(t, compile(t, cc, flag, "testdata/switches.c"))
			})
		}
	}
}

// compile gives the path of the program that a source became.
func compile(t *testing.T, cc, flags, source string) string {
	args := slices.Concat(strings.Fields(cc), strings.Fields(flags))
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Skip(err)
	}
	out := filepath.Join(t.TempDir(), "program")
	args = append(args, "-w", "-Wl,--emit-relocs", "-o", out, source)
	if msg, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, msg)
	}
	return out
}

func checkSwitches(t *testing.T, path string) {
	im := openImage(t, path)
	never := im.noReturn()
	relocated := im.tableTargets(t)
	seen := 0
	for _, f := range im.functions() {
		opts := im.options(f)
		opts.NoReturn = never
		g, err := Build(opts)
		if err != nil {
			t.Fatal(f.name, err)
		}
		checkGraph(t, g)
		for _, i := range g.Unresolved {
			t.Errorf("%s: jump at %#x is not resolved, %d targets", f.name, g.Insns[i].Addr, len(g.Succ(i)))
		}
		s, named := switches[f.name]
		if !named {
			continue
		}
		seen++
		got := tableTargets(g)
		if n := len(g.tableJumps()); n < s.jumps && !s.arm64Chains(im.arch) || n > 0 && s.jumps == 0 {
			t.Errorf("%s: %d jumps through tables, want %d", f.name, n, s.jumps)
		}
		if n := len(got); n > 0 && (n < s.least || n > s.most) {
			t.Errorf("%s: %d targets, want %d to %d", f.name, n, s.least, s.most)
		}
		if want := relocated[f.entry]; len(want) > 0 && !slices.Equal(got, want) {
			t.Errorf("%s: targets\n got %#x\nwant %#x", f.name, got, want)
		}
	}
	if seen < len(switches) {
		t.Errorf("found %d of the functions", seen)
	}
}

// shape is what the indirect jumps of a function in switches.c must come to.
type shape struct {
	jumps       int // at least
	least, most int // distinct targets: equal cases and the default are merged
	fewCases    bool
}

// arm64Chains tells whether GCC may have made comparisons instead of a table.
func (s shape) arm64Chains(arch elfbin.Arch) bool { return arch == elfbin.ARM64 && s.fewCases }

var switches = map[string]shape{
	"dense":        {jumps: 1, least: 8, most: 8, fewCases: true},
	"wide":         {jumps: 1, least: 20, most: 21},
	"wide_machine": {jumps: 1, least: 21, most: 22},
	"biased":       {jumps: 1, least: 8, most: 9, fewCases: true},
	"masked":       {jumps: 1, least: 7, most: 9, fewCases: true},
	"impossible":   {jumps: 1, least: 6, most: 6, fewCases: true},
	"machine":      {jumps: 1, least: 10, most: 11, fewCases: true},
	"threaded":     {jumps: 1, least: 8, most: 8},
	"distances":    {jumps: 1, least: 5, most: 5},
	"two":          {jumps: 2, least: 12, most: 14, fewCases: true},
	"virtual_call": {},
	"pick":         {},
}

// tableJumps are the jumps that have table edges.
func (g *Graph) tableJumps() []int32 {
	var jumps []int32
	for _, e := range g.Edges() {
		if e.Kind == Table && !slices.Contains(jumps, e.From) {
			jumps = append(jumps, e.From)
		}
	}
	return jumps
}

// tableTargets are the addresses that table edges lead to.
func tableTargets(g *Graph) []uint64 {
	var addrs []uint64
	for _, e := range g.Edges() {
		if e.Kind == Table {
			addrs = append(addrs, g.Insns[e.To].Addr)
		}
	}
	slices.Sort(addrs)
	return slices.Compact(addrs)
}

// tableTargets gives, by function entry, the addresses inside functions that
// constant data leads to: by the relocations that the linker kept.
func (im *fileImage) tableTargets(t testing.TB) map[uint64][]uint64 {
	fs := im.functions()
	taken, err := AddressesTaken(im, im.arch, im.code())
	if err != nil {
		t.Fatal(err)
	}
	bases := taken.Data
	targets := map[uint64][]uint64{}
	for _, s := range im.file.Sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC != 0 {
			continue
		}
		of := im.file.Sections[s.Info].Name
		if !strings.HasPrefix(of, ".rodata") && !strings.HasPrefix(of, ".data.rel.ro") && of != ".lrodata" {
			continue
		}
		b, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(b) >= 24; b = b[24:] {
			at, info := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
			to := binary.LittleEndian.Uint64(b[16:])
			if n := info >> 32; n > 0 {
				to += im.syms[n-1].Value
			}
			switch kind := uint32(info); {
			case im.arch == elfbin.AMD64 && elf.R_X86_64(kind) == elf.R_X86_64_PC32,
				im.arch == elfbin.AMD64 && elf.R_X86_64(kind) == elf.R_X86_64_PC64:
				i, exact := slices.BinarySearch(bases, at)
				if !exact {
					i--
				}
				if i < 0 {
					continue
				}
				to -= at - bases[i]
			case im.arch == elfbin.AMD64 && elf.R_X86_64(kind) == elf.R_X86_64_64:
			case im.arch == elfbin.ARM64 && elf.R_AARCH64(kind) == elf.R_AARCH64_ABS64:
			default:
				continue
			}
			for _, f := range fs {
				for _, r := range f.ranges {
					if r.Contains(to) && to != f.entry {
						targets[f.entry] = append(targets[f.entry], to)
					}
				}
			}
		}
	}
	for entry := range targets {
		slices.Sort(targets[entry])
		targets[entry] = slices.Compact(targets[entry])
	}
	return targets
}

// TestRelocatedTargets compares the table targets of the programs named in
// FLOW_RELOC_FILES (linked with --emit-relocs) with their relocations.
func TestRelocatedTargets(t *testing.T) {
	files := strings.Fields(os.Getenv("FLOW_RELOC_FILES"))
	if len(files) == 0 {
		t.Skip("FLOW_RELOC_FILES names no programs")
	}
	for _, path := range files {
		im := openImage(t, path)
		never := im.noReturn()
		relocated := im.tableTargets(t)
		jumps, targets := 0, 0
		for _, f := range im.functions() {
			opts := im.options(f)
			opts.NoReturn = never
			g, err := Build(opts)
			if err != nil {
				t.Fatal(err)
			}
			got := tableTargets(g)
			jumps += len(g.tableJumps())
			targets += len(got)
			if want := relocated[f.entry]; !slices.Equal(got, want) {
				t.Errorf("%s: %s: targets differ\n got %d %#x\nwant %d %#x", path, f.name, len(got), got, len(want), want)
			}
		}
		t.Logf("%s: %d jumps, %d targets", path, jumps, targets)
	}
}
