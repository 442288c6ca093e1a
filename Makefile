# For people; "make" alone prints this list.
# Needs Go 1.26 or newer and git. Everything else is installed with apt-get when
# run as root on Debian, or named in one line when it cannot be.

GO ?= go
# The linters that "make lint" runs are built here, from tools/lint/go.mod.
BIN := .cache/bin
# Further flags of go test, e.g. make test TESTFLAGS='-race -run TestParse'.
TESTFLAGS ?=

COMPILERS := gcc g++ libc6-dev clang llvm lld
# For the accuracy measurement; tests use it if it is there.
RUST      := rustc
CROSS     := gcc-aarch64-linux-gnu libc6-dev-arm64-cross
EMULATOR  := qemu-system-x86 qemu-system-arm
PEERS     := bpftrace gdb linux-perf

.DEFAULT_GOAL := help
.PHONY: help demo test vmtest accuracy atlas kerneltruth missestruth bench benchtruth soak generate lint go
.PHONY: fieldtruth fieldreport

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 17

demo: go ## shows the gotchas on example programs: live as root, else the analysis
	@$(GO) run ./cmd/surehook demo

test: go ## go vet and all tests; ends with what was skipped and why
	@.ci/need $(COMPILERS) $(CROSS) $(EMULATOR) bpftrace dwz xz-utils debuginfod prometheus
	$(GO) vet ./...
	@SUREHOOK_VM=1 $(GO) run ./internal/cmd/testrun -timeout 20m $(TESTFLAGS) ./...

vmtest: go ## the tests that ask the kernel, on Debian's from 5.10 to 7.3: docs/vmtest.md
	@.ci/need --must $(COMPILERS) $(CROSS) $(EMULATOR)
	@SUREHOOK_VM=all $(GO) run ./internal/cmd/testrun -timeout 40m -count=1 -run TestKernels ./internal/vmsuite -update
	@grep '^|' docs/vmtest.md

accuracy: go ## measures sites against the truth and against perf, gdb, bpftrace: docs/accuracy.md
	@.ci/need --must $(COMPILERS) $(RUST) $(CROSS) $(EMULATOR) dpkg-dev $(PEERS)
	$(GO) run ./internal/cmd/accuracy -out docs/accuracy.md

atlas: go ## builds the atlas of Debian's kernels from their packages: 3 GB, 15 minutes
	@.ci/need --must dpkg-dev xz-utils
	$(GO) run ./internal/cmd/atlas

kerneltruth: go ## tries on kernels in virtual machines what check says of hooks: docs/kernel-truth.md
	@.ci/need --must qemu-system-x86 qemu-system-arm dpkg-dev xz-utils
	$(GO) run ./internal/cmd/kerneltruth -out docs/kernel-truth.md

missestruth: go ## nests probes on kernels in virtual machines and compares what is lost with what misses says: docs/misses.md
	@.ci/need --must qemu-system-x86 dpkg-dev xz-utils
	$(GO) run ./internal/cmd/missestruth -out docs/misses.md

fieldtruth: go ## loads programs of Debian's libbpf-tools in virtual machines: docs/field-truth.md
	@.ci/need --must qemu-system-x86 qemu-system-arm dpkg-dev xz-utils gcc clang $(CROSS)
	$(GO) run ./internal/cmd/fieldtruth -out docs/field-truth.md

fieldreport: go ## which of Debian's tracing tools break on which kernel: docs/field-report.md
	@.ci/need --must dpkg-dev xz-utils
	$(GO) run ./internal/cmd/fieldreport -out docs/field-report.md

bench: go ## a kernel's whole index and one function of it against perf; as root also the time to attach
	@.ci/need gcc libc6-dev linux-perf
	@$(GO) test -run '^$$' -bench . -benchmem \
		$$(git grep -l '^func Benchmark' -- '*_test.go' | xargs -n 1 dirname | sort -u | sed 's|^|./|')
	@$(GO) run ./internal/cmd/bench

soak: go ## a library replaced 1,000 times under load, as root: docs/supervision.md
	@.ci/need --must gcc libc6-dev bpftrace
	@$(GO) build -o .cache/bin/soak ./internal/cmd/soak
	@nice -n -10 .cache/bin/soak -out docs/supervision.md

benchtruth: go ## surehook bench five times, against another measurement, and in virtual machines: docs/bench.md
	@.ci/need --must gcc libc6-dev bpftrace util-linux $(EMULATOR)
	$(GO) run ./internal/cmd/benchtruth -out docs/bench.md -chart docs/bench.svg

generate: go ## rebuilds BPF objects, demo programs and generated pages
	@.ci/need --must $(COMPILERS) $(CROSS)
	$(GO) generate ./...

lint: go ## gofmt, vet for all systems, staticcheck, the rules of the house
	@files=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
		test -z "$$files" || { echo "gofmt -w these:"; echo "$$files"; exit 1; }
	$(GO) vet ./...
	GOOS=linux GOARCH=arm64 $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	$(GO) build -C tools/lint -o ../../$(BIN)/ honnef.co/go/tools/cmd/staticcheck
	$(BIN)/staticcheck ./...
	$(GO) run ./internal/cmd/house

go:
	@command -v $(GO) >/dev/null || { echo 'missing: Go 1.26 or newer; see https://go.dev/dl' >&2; exit 1; }
	@.ci/need ca-certificates
