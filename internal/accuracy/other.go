package accuracy

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The languages that bring a compiler and a way to build of their own. Only the
// unperturbed oracle is for them.
const (
	langGo   = "go"
	langRust = "rust"
)

// own tells whether the program's language builds by itself.
func (p program) own() bool { return p.lang == langGo || p.lang == langRust }

// rustBuilds are the usual builds of a program in Rust.
func rustBuilds() []build {
	return []build{
		{name: "rustc-O2", cc: "rustc", arch: archAMD64, flags: []string{"-Copt-level=2"}},
		{name: "rustc-O3", cc: "rustc", arch: archAMD64, flags: []string{"-Copt-level=3"}},
		{name: "rustc-O3-lto", cc: "rustc", arch: archAMD64, flags: []string{"-Copt-level=3", "-Clto=fat"}},
		{name: "rustc-O3-thinlto", cc: "rustc", arch: archAMD64, flags: []string{"-Copt-level=3", "-Clto=thin"}},
	}
}

// goBuilds is the usual build of a program in Go. There is no other to speak of:
// Go has no optimisation across files to turn on, and -l=4 changes nothing here.
func goBuilds() []build {
	return []build{{name: "go", cc: "go", arch: archAMD64}}
}

// version is what the compiler says of itself, "" when it is missing.
func (b build) version(ctx context.Context, lang string) string {
	switch lang {
	case langGo:
		path, err := tool("go")
		if err != nil {
			return ""
		}
		return firstLine(ctx, "env", "GOTOOLCHAIN=local", path, "version")
	case langRust:
		path, err := tool("rustc")
		if err != nil {
			return ""
		}
		return firstLine(ctx, path, "--version")
	}
	cc, _ := b.driver(lang)
	return firstLine(ctx, cc, "--version")
}

// tool is the real path of a compiler that need not be in cleanEnv's PATH.
// rustup's rustc is a shim that wants a home directory.
func tool(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &missingError{"no " + name + " on this machine", "put it into PATH"}
	}
	if name != "rustc" {
		return path, nil
	}
	out, err := exec.Command(path, "--print", "sysroot").Output()
	if err != nil {
		return "", &missingError{"rustc does not run", "rustup default stable"}
	}
	return filepath.Join(strings.TrimSpace(string(out)), "bin", "rustc"), nil
}

// rust builds the library of the tree and the driver.
func (j job) rust(ctx context.Context, tmp string) error {
	rustc, err := tool("rustc")
	if err != nil {
		return err
	}
	common := append([]string{"-g", "--edition=2018", "--cap-lints=allow"}, j.b.flags...)
	lib := filepath.Join(tmp, "lib"+j.p.crate+".rlib")
	args := append(append([]string{}, common...), "--crate-type=rlib", "--crate-name="+j.p.crate, "-o", lib)
	if _, err := run(ctx, j.tree, rustc, append(append(args, j.p.flags...), "src/lib.rs")...); err != nil {
		return err
	}
	bin := filepath.Join(tmp, j.p.name)
	args = append(append([]string{}, common...), "--extern", j.p.crate+"="+lib, "-o", bin, "surehook.rs")
	if _, err := run(ctx, j.tree, rustc, args...); err != nil {
		return err
	}
	return j.install(bin)
}

// golang builds the driver, a package of the tree's module.
func (j job) golang(ctx context.Context, tmp string) error {
	goTool, err := tool("go")
	if err != nil {
		return err
	}
	bin := filepath.Join(tmp, j.p.name)
	args := []string{"GOCACHE=" + j.c.path("go"), "GOTOOLCHAIN=local", "GOFLAGS=-mod=mod", "GOPROXY=off", "CGO_ENABLED=0", goTool, "build", "-o", bin}
	if _, err := run(ctx, j.tree, "env", append(append(args, j.b.flags...), "./surehook")...); err != nil {
		return err
	}
	return j.install(bin)
}

// install puts the binary where it belongs only when it is whole.
func (j job) install(bin string) error {
	return errors.Join(os.MkdirAll(j.out.dir, 0o755), os.Rename(bin, j.out.path))
}
