package main

import "github.com/surehook/surehook/internal/vmtest"

// source is a kernel of the atlas.
type source struct {
	vmtest.Kernel
	debug bool // the archive has its -dbg package
}

// kernels is the table of the atlas, neighbours next to each other.
func kernels() []source {
	return []source{
		{vmtest.Kernel{Arch: "amd64", Series: "5.10", Suite: "bullseye", Release: "5.10.0-32-cloud-amd64"}, true},
		{vmtest.Kernel{Arch: "amd64", Series: "6.1", Suite: "bookworm", Release: "6.1.0-50-cloud-amd64"}, true},
		{vmtest.Kernel{Arch: "amd64", Series: "6.12", Suite: "trixie", Release: "6.12.117+deb13-cloud-amd64"}, true},
		{vmtest.Kernel{Arch: "amd64", Series: "6.18", Suite: "trixie-backports", Release: "6.18.15+deb13-cloud-amd64"}, false},
		{vmtest.Kernel{Arch: "amd64", Series: "7.0", Suite: "trixie-backports", Release: "7.0.13+deb13-cloud-amd64"}, false},
		{vmtest.Kernel{Arch: "amd64", Series: "7.2", Suite: "trixie-backports", Release: "7.2.12+deb13-cloud-amd64"}, true},
		{vmtest.Kernel{Arch: "amd64", Series: "7.3", Suite: "trixie-backports", Release: "7.3.4+deb13-cloud-amd64"}, true},
		{vmtest.Kernel{Arch: "arm64", Series: "6.1", Suite: "bookworm", Release: "6.1.0-50-cloud-arm64"}, true},
		{vmtest.Kernel{Arch: "arm64", Series: "6.12", Suite: "trixie", Release: "6.12.117+deb13-cloud-arm64"}, true},
		{vmtest.Kernel{Arch: "arm64", Series: "7.3", Suite: "trixie-backports", Release: "7.3.4+deb13-cloud-arm64"}, true},
	}
}
