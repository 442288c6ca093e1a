package main

import (
	"os"
	"runtime"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/live"
)

// runningKernel is the kernel that this program runs on.
func runningKernel() (*live.Kernel, error) {
	arch := elfbin.AMD64
	if runtime.GOARCH == "arm64" {
		arch = elfbin.ARM64
	}
	return live.New(os.DirFS("/"), arch)
}

func liveKernel() (kernel.Kernel, error) { return runningKernel() }
