// Package bpf holds the BPF programs and what bpf2go makes of them:
// surehook.bpf.c counts and filters hits of probes, work.bpf.c is what measured
// hookpoints run, nested.bpf.c makes probes nest. The objects are committed:
// building surehook needs no clang.
//
// `make generate` rebuilds them (clang and llvm-strip; bpf2go is pinned in
// tools/go.mod).
package bpf

//go:generate go tool -modfile=../../tools/go.mod bpf2go -go-package bpf -no-global-types -target amd64,arm64 -cflags "-O2 -Wall -Werror" surehook surehook.bpf.c
//go:generate go tool -modfile=../../tools/go.mod bpf2go -go-package bpf -no-global-types -target bpfel -cflags "-O2 -Wall -Werror" work work.bpf.c
//go:generate go tool -modfile=../../tools/go.mod bpf2go -go-package bpf -no-global-types -target bpfel -cflags "-O2 -Wall -Werror" nested nested.bpf.c
