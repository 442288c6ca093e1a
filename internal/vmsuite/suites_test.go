package vmsuite

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/vmtest"
)

const module = "github.com/surehook/surehook/"

// suite is a package whose tests run in the machines.
type suite struct {
	pkg string // its directory in the module
	run string // which tests, an expression as of go test -run; empty: all
	// built suites are of programs that the test binary makes here with -keep
	// and finds there with -built; for linux/amd64.
	built bool
	// cross suites are the same for every architecture: -keep with -cc.
	cross bool
	// long suites run only if all kernels, or one, are asked for.
	long bool
}

// suites are the packages that ask the running kernel for something.
func suites() []suite {
	return []suite{
		{pkg: "attach"},
		{pkg: "running"},
		{pkg: "cmd/surehook", run: "^(TestKernelTrace|TestKernelNotReadable)$"},
		{pkg: "internal/live"},
		{pkg: "bench", run: "^TestLive$"},
		{pkg: "kernel/live", run: "^(TestHere|TestClaims)$"},
		{pkg: "internal/demo", run: "^(TestCounts|TestTruth)$"},
		{pkg: "internal/cases", built: true, run: "^TestCases$/^(selective-inlining|clones|jump-table|jump-threading|critical-edge|" +
			"computed-goto|inlined-recursion|tail-recursion|returns|returns-deep|returns-thrown|shared-library|nop-entry|rep-first|nested|calls-in-a-row)$"},
		{pkg: "supervise", cross: true, long: true, run: "^(TestReplace|TestInPlace|TestInstall|TestSymlink|TestGone|TestSlowWriter|TestOverlay|TestOverlayNoGap|" +
			"TestUnmount|TestProcessRoot|TestProcessRootOnly|TestContainers|TestContainersKept|TestNotInstalled|TestKilled|TestCameAndWent|TestRewrittenMeanwhile)$"},
		{pkg: "supervise/internal/gate", long: true},
		{pkg: "supervise/internal/mapped", long: true, run: "^(TestFind|TestLoading)$"},
		{pkg: "supervise/internal/overlay", long: true, run: "^TestInside$"},
		{pkg: "supervise/internal/roots", long: true, run: "^(TestFind|TestOld|TestScan)$"},
		{pkg: "supervise/internal/pause", long: true},
		{pkg: "supervise/audit", cross: true, long: true, run: "^TestReplaced$"},
	}
}

// suitesFor are those that run when SUREHOOK_VM asks for that.
func suitesFor(asked string) []suite {
	return slices.DeleteFunc(suites(), func(s suite) bool { return s.long && asked == "1" })
}

// suiteSeconds bounds a suite in a machine; it takes some 20 s on a machine
// that has nothing else to do.
const suiteSeconds = 300

// step runs the suite's tests.
func (s suite) step() vmtest.Step {
	args := append([]string{s.binary()}, vmtest.TestArgs()...)
	if s.run != "" {
		args = append(args, "-test.run="+s.run)
	}
	if s.built || s.cross {
		args = append(args, "-built="+s.builtDir())
	}
	return vmtest.Step{Args: args, Dir: path.Dir(s.binary()), Seconds: suiteSeconds}
}

func (s suite) binary() string { return path.Join("/t", s.pkg, path.Base(s.pkg)+".test") }

func (s suite) builtDir() string { return path.Join("/t", s.pkg, "built") }

// tests names the suite's tests as its sources have them for linux/amd64. The
// seeds of a fuzz target are a test.
func (s suite) tests(t *testing.T) []string {
	t.Helper()
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = "linux", "amd64", false
	dir := filepath.Join("../..", s.pkg)
	pkg, err := ctx.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	function, chosen := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(\w+ \*testing\.[TF]\)`), regexp.MustCompile(strings.SplitN(s.run, "/", 2)[0])
	var names []string
	for _, name := range slices.Concat(pkg.TestGoFiles, pkg.XTestGoFiles) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllSubmatch(text, -1) {
			if chosen.Match(m[1]) {
				names = append(names, string(m[1]))
			}
		}
	}
	return names
}

// files are what the machines of an architecture hold: the test binaries with
// their testdata, a shell, and the libraries of the demo programs.
func files(ctx context.Context, t *testing.T, arch string, of []suite) ([]vmtest.File, error) {
	var list []vmtest.File
	dir := t.TempDir()
	for _, s := range of {
		bin := filepath.Join(dir, strings.ReplaceAll(s.pkg, "/", "-")+".test")
		if err := vmtest.BuildTest(ctx, arch, module+s.pkg, bin); err != nil {
			return nil, err
		}
		list = append(list, vmtest.File{Name: s.binary(), From: bin})
		if s.cross || s.built && arch == runtime.GOARCH {
			programs, err := s.programs(ctx, arch, bin+".built")
			if err != nil {
				return nil, err
			}
			list = append(list, programs...)
		}
		data := filepath.Join("../..", s.pkg, "testdata")
		paths, err := filepath.Glob(filepath.Join(data, "*"))
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			if info, err := os.Stat(p); err != nil || !info.Mode().IsRegular() {
				continue
			}
			list = append(list, vmtest.File{Name: path.Join("/t", s.pkg, "testdata", filepath.Base(p)), From: p, Mode: 0o644})
		}
	}
	cache, err := vmtest.CacheDir()
	if err != nil {
		return nil, err
	}
	busybox, err := vmtest.Package{Arch: arch, Suite: "bookworm", Name: "busybox-static"}.Fetch(ctx, cache)
	if err != nil {
		return nil, err
	}
	list = append(list, vmtest.File{Name: "/bin/busybox", From: filepath.Join(busybox, "bin/busybox")})
	for _, name := range []string{"sh", "cp", "rm", "env", "kill", "sleep", "true", "false", "cat", "echo", "touch", "mount", "nsenter"} {
		list = append(list, vmtest.File{Name: "/bin/" + name, Link: "busybox"})
	}
	libs, err := demoLibraries(dir, arch)
	return unique(append(list, libs...)), err
}

// unique leaves the first of files of one name.
func unique(list []vmtest.File) []vmtest.File {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(f vmtest.File) bool {
		again := seen[f.Name]
		seen[f.Name] = true
		return again
	})
}

// compiler is that of cross suites for an architecture.
func compiler(arch string) string {
	if arch == runtime.GOARCH {
		return "gcc"
	}
	return map[string]string{"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}[arch]
}

// programs builds the suite's programs in dir and gives them with the
// libraries that they need.
func (s suite) programs(ctx context.Context, arch, dir string) ([]vmtest.File, error) {
	cmd := exec.CommandContext(ctx, "go", "test", module+s.pkg, "-run", s.run, "-keep", dir)
	if s.cross {
		if _, err := exec.LookPath(compiler(arch)); err != nil {
			return nil, nil // which the tests will say
		}
		cmd.Args = append(cmd.Args, "-cc", compiler(arch))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the programs of %s: %w: %s", s.pkg, err, out)
	}
	var list []vmtest.File
	var linked []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		list = append(list, vmtest.File{Name: path.Join(s.builtDir(), filepath.ToSlash(rel)), From: p, Mode: info.Mode()})
		if f, notELF := elf.Open(p); notELF == nil {
			if f.Type == elf.ET_EXEC || f.Type == elf.ET_DYN {
				linked = append(linked, p)
			}
			f.Close()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no compiler, which the tests will say
	}
	if err != nil {
		return nil, err
	}
	libs, err := vmtest.Libraries(arch, linked...)
	return append(list, libs...), err
}

// demoLibraries are the libraries that the demo programs need.
func demoLibraries(dir, arch string) ([]vmtest.File, error) {
	target := map[string]elfbin.Arch{"amd64": elfbin.AMD64, "arm64": elfbin.ARM64}[arch]
	var programs []string
	for _, e := range demo.Examples() {
		at := filepath.Join(dir, e.Name)
		if err := os.Mkdir(at, 0o755); err != nil {
			return nil, err
		}
		if err := demo.Extract(at, e, target); err != nil {
			return nil, err
		}
		for _, p := range e.Programs {
			programs = append(programs, filepath.Join(at, p))
		}
	}
	return vmtest.Libraries(arch, programs...)
}
