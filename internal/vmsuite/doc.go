// Package vmsuite runs tests of other packages on every kernel of
// vmtest.Kernels, in virtual machines, and compares what came of it with
// docs/vmtest.md. It has tests only:
//
//	make vmtest                                  all kernels; rewrites the page
//	SUREHOOK_VM=1 go test ./internal/vmsuite     all but the extra kernels
//	SUREHOOK_VM='5.10 amd64' go test ...         one kernel
package vmsuite
