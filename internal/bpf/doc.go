// Package bpf holds the BPF program that counts and filters hits of uprobes
// (surehook.bpf.c), those that measured hookpoints run (work.bpf.c), and what
// bpf2go makes of them. The objects are committed: building surehook needs no clang.
//
// `make generate` rebuilds them (clang and llvm-strip; bpf2go is pinned in
// tools/go.mod).
package bpf

//go:generate go tool -modfile=../../tools/go.mod bpf2go -go-package bpf -no-global-types -target amd64,arm64 -cflags "-O2 -Wall -Werror" surehook surehook.bpf.c
//go:generate go tool -modfile=../../tools/go.mod bpf2go -go-package bpf -no-global-types -target bpfel -cflags "-O2 -Wall -Werror" work work.bpf.c
