package accuracy

import (
	"bytes"
	"fmt"
	"strings"
)

// zstdProgram is the zstd command with its library: one thread, no assembly,
// no old formats.
func zstdProgram() program {
	return program{
		name:   "zstd",
		builds: builds(),
		source: source{
			Package: "libzstd", Version: "1.5.4", Tarball: "libzstd_1.5.4+dfsg2.orig.tar.xz", Root: "zstd-1.5.4",
			SHA256: "8cf4bbb65e77ec348d052c8d6230eba66d435bddf64c8b5be2fcb16880c19953",
		},
		patterns: []string{"lib/common/*.c", "lib/compress/*.c", "lib/decompress/*.c", "lib/dictBuilder/*.c", "programs/*.c"},
		flags: []string{
			"-DZSTD_DISABLE_ASM=1", "-DZSTD_LEGACY_SUPPORT=0", "-DXXH_NAMESPACE=ZSTD_", "-DDEBUGLEVEL=0",
			"-I$SRC/lib", "-I$SRC/lib/common", "-I$SRC/programs",
		},
		inputs:   zstdInputs,
		commands: zstdCommands(),
	}
}

// zstdCommands go through all strategies and both directions.
func zstdCommands() []string {
	var cmds []string
	for _, level := range []int{1, 3, 5, 9, 13} {
		cmds = append(cmds, fmt.Sprintf("./zstd -q -f -k -%d --no-progress --check a.txt b.bin -o out%d.zst", level, level))
	}
	for _, level := range []int{17, 19} { // the optimal parsers: dear
		cmds = append(cmds, fmt.Sprintf("./zstd -q -f -k -%d --no-progress c.txt -o out%d.zst", level, level))
	}
	return append(cmds,
		"./zstd -q -f -k -3 --long=20 --no-progress --no-check a.txt -o long.zst",
		"./zstd -q -f --train a.txt b.bin -B128 --maxdict=1024 -o dict",
		"./zstd -q -f -k -4 --no-progress -D dict a.txt -o d.zst",
		"./zstd -q -f -d -D dict --no-progress d.zst -o d.txt",
		"./zstd -q -f -d --no-progress out1.zst -o a1.txt",
		"./zstd -q -f -d --no-progress out19.zst -o a19.txt",
		"./zstd -q -t --no-progress out9.zst",
		"./zstd -l out3.zst",
	)
}

// textBytes keeps the whole workload at about a million executions.
const textBytes = 1600

// zstdInputs are a text with repetitions and a file of a linear congruential
// generator's bits: both paths of the entropy coder.
func zstdInputs() (map[string][]byte, error) {
	var text strings.Builder
	x := uint32(1)
	for i := 0; text.Len() < textBytes; i++ {
		x = x*1664525 + 1013904223
		fmt.Fprintf(&text, "line %d of the text, number %d, word %s\n", i, x>>20, strings.Repeat(string(rune('a'+x>>28)), int(x>>26&7)))
	}
	var noise bytes.Buffer
	for range 300 {
		x = x*1664525 + 1013904223
		noise.WriteByte(byte(x >> 24))
	}
	return map[string][]byte{"a.txt": []byte(text.String()), "b.bin": noise.Bytes(), "c.txt": []byte(text.String()[:textBytes/2])}, nil
}
