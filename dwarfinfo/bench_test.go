package dwarfinfo

import (
	"debug/elf"
	"os"
	"testing"
)

// BenchmarkLoad reads the file that SUREHOOK_BENCH_VMLINUX names, a vmlinux
// with debug information or any other large file. MB/s are of .debug_info.
func BenchmarkLoad(b *testing.B) {
	src := benchSource(b)
	b.SetBytes(int64(len(src[".debug_info"])))
	b.ReportAllocs()
	for b.Loop() {
		d, err := Load(src)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(d.Funcs)), "functions")
		b.ReportMetric(float64(len(d.Copies)), "copies")
		b.ReportMetric(float64(len(d.Gaps)), "gaps")
	}
}

// BenchmarkLines decodes all line tables of the same file. MB/s are of
// .debug_line.
func BenchmarkLines(b *testing.B) {
	src := benchSource(b)
	b.SetBytes(int64(len(src[".debug_line"])))
	for b.Loop() {
		b.StopTimer()
		d, err := Load(src)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		rows := 0
		for i := range d.Units {
			if table, err := d.Lines(int32(i)); err == nil {
				rows += len(table.Rows)
			}
		}
		b.ReportMetric(float64(rows), "rows")
	}
}

func benchSource(b *testing.B) sectionMap {
	b.Helper()
	path := os.Getenv("SUREHOOK_BENCH_VMLINUX")
	if path == "" {
		b.Skip("SUREHOOK_BENCH_VMLINUX names no file")
	}
	f, err := elf.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	src := sectionMap{}
	for _, name := range []string{".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str",
		".debug_str_offsets", ".debug_addr", ".debug_ranges", ".debug_rnglists", ".debug_line"} {
		if src[name], err = (elfSource{f}).Section(name); err != nil {
			b.Fatal(err)
		}
	}
	return src
}
