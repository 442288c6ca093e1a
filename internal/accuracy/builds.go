package accuracy

import (
	"slices"
	"strings"
)

// build is one way to compile a program.
type build struct {
	name  string
	cc    string   // gcc, clang, rustc or go
	arch  string   // of the binary, as Debian calls it
	flags []string // optimisation, also given to the linker
	link  []string // for the linker only
}

// builds are the usual builds of a program in C.
func builds() []build {
	return []build{
		{name: "gcc-O2", cc: "gcc", arch: archAMD64, flags: []string{"-O2"}},
		{name: "gcc-O3", cc: "gcc", arch: archAMD64, flags: []string{"-O3"}},
		{name: "gcc-O2-flto", cc: "gcc", arch: archAMD64, flags: []string{"-O2", "-flto"}},
		{name: "clang-O2", cc: "clang", arch: archAMD64, flags: []string{"-O2"}},
	}
}

// clangLTO are LLVM's two kinds of optimisation across files.
func clangLTO() []build {
	return []build{
		{name: "clang-O2-flto", cc: "clang", arch: archAMD64, flags: []string{"-O2", "-flto"}, link: []string{"-fuse-ld=lld"}},
		{name: "clang-O2-thinlto", cc: "clang", arch: archAMD64, flags: []string{"-O2", "-flto=thin"}, link: []string{"-fuse-ld=lld"}},
	}
}

// arm64 are the builds for the other architecture.
func arm64() []build {
	return []build{
		{name: "gcc-O2", cc: "gcc", arch: archARM64, flags: []string{"-O2"}},
		{name: "gcc-O3", cc: "gcc", arch: archARM64, flags: []string{"-O3"}},
		{name: "clang-O2", cc: "clang", arch: archARM64, flags: []string{"-O2"}},
	}
}

// truth is the build whose symbols are counted for the truth: every function
// has a body and every call reaches it. always_inline functions are made
// noinline by name (the compiler's and libc's own headers spell the attribute
// with underscores and stay untouched).
func (b build) truth() build {
	switch b.cc {
	case "go":
		return build{name: "go-N-l", cc: b.cc, arch: b.arch, flags: []string{"-gcflags=all=-N -l"}}
	case "rustc":
		return build{name: "rustc-O0", cc: b.cc, arch: b.arch, flags: []string{"-Copt-level=0"}}
	}
	return build{name: b.cc + "-O0", cc: b.cc, arch: b.arch, flags: []string{"-O0", "-fno-inline", "-Dalways_inline=noinline"}}
}

// lto tells whether the build optimises across files.
func (b build) lto() bool {
	return slices.ContainsFunc(b.flags, func(f string) bool { return strings.HasPrefix(f, "-flto") || strings.HasPrefix(f, "-Clto") })
}

// alone tells that no other tool is asked. perf finds next to nothing in
// LLVM's link-time builds and gives up at each function: an hour's run.
func (b build) alone() bool { return b.cc == "clang" && b.lto() }

// The languages that need another driver than C's.
const langCXX = "c++"

// driver is the compiler's command for a language, with the arguments that
// choose the architecture.
func (b build) driver(lang string) (command string, args []string) {
	command = b.cc
	if lang == langCXX {
		command = map[string]string{"gcc": "g++", "clang": "clang++"}[b.cc]
	}
	switch {
	case b.arch != archARM64:
		return command, nil
	case b.cc == "gcc":
		return "aarch64-linux-gnu-" + command, nil
	}
	return command, []string{"--target=aarch64-linux-gnu"}
}
