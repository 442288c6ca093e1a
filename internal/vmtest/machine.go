package vmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Machine is an emulated computer.
type Machine struct {
	Arch    string        // amd64 or arm64
	Kernel  string        // bootable image, see Kernel.Fetch
	Memory  int           // MiB; 0: DefaultMemory
	Timeout time.Duration // of the whole job; 0: the sum of the steps' and a minute
}

// DefaultMemory holds an initramfs of some hundred MiB twice and what runs.
const DefaultMemory = 2048

// bootTime is what a machine may take to boot and to write its report.
const bootTime = time.Minute

// bootError is a machine that gave no outcome.
type bootError struct {
	console string
	err     error
}

// maxConsole keeps a kernel's whole log out of one message.
const maxConsole = 3000

func (e *bootError) Error() string {
	c := strings.TrimSpace(e.console)
	if len(c) > maxConsole {
		c = "... " + c[len(c)-maxConsole:]
	}
	return fmt.Sprintf("virtual machine: %v; its console: %s", e.err, c)
}

func (e *bootError) Unwrap() error { return e.err }

var errNoOutcome = errors.New("ended without an outcome")

// Run boots the machine, does the job and gives the outcome. A command that
// fails is no error of Run.
func (m Machine) Run(ctx context.Context, job Job) (*Outcome, error) {
	emulator, args, err := m.emulator(job)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "vmtest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if err := m.prepare(ctx, tmp, job); err != nil {
		return nil, err
	}
	limit := m.Timeout
	if limit == 0 {
		limit = bootTime
		for _, s := range job.Steps {
			limit += time.Duration(s.limit()) * time.Second
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("still running after %v", limit))
	defer cancel()
	memory := m.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	args = append(args, "-m", strconv.Itoa(memory), "-kernel", m.Kernel, "-initrd", "initrd", "-no-reboot", "-display", "none", "-monitor", "none",
		"-nic", "none", "-serial", "file:console")
	cmd := exec.CommandContext(ctx, emulator, args...)
	cmd.Dir = tmp
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err = cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	console, readErr := os.ReadFile(filepath.Join(tmp, "console"))
	if readErr != nil && err == nil {
		err = readErr
	}
	report, readErr := os.ReadFile(filepath.Join(tmp, "report"))
	if readErr != nil && err == nil {
		err = readErr
	}
	if err != nil {
		return nil, &bootError{stderr.String() + string(console), err}
	}
	out, err := decodeOutcome(report)
	if err != nil {
		return nil, &bootError{stderr.String() + string(console), err}
	}
	return out, nil
}

// emulator gives the command for the architecture, with the console on the
// first serial line and the report on a second.
func (m Machine) emulator(job Job) (string, []string, error) {
	name := map[string]string{"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}[m.Arch]
	pkg := map[string]string{"amd64": "qemu-system-x86", "arm64": "qemu-system-arm"}[m.Arch]
	if name == "" {
		return "", nil, fmt.Errorf("vmtest: architecture %q; there are amd64 and arm64", m.Arch)
	}
	if _, err := exec.LookPath(name); err != nil {
		return "", nil, fmt.Errorf("%w: no %s; apt-get install %s", ErrMissing, name, pkg)
	}
	serial := map[string][2]string{"amd64": {"ttyS0", "ttyS1"}, "arm64": {"ttyAMA0", "ttyS0"}}[m.Arch]
	params := append([]string{"console=" + serial[0], "panic=-1", "quiet", reportPort + "=" + serial[1]}, job.Cmdline...)
	// One processor is the rule: emulated, two can oops while kernel text is patched.
	args := []string{"-accel", "tcg", "-smp", strconv.Itoa(max(1, job.CPUs)), "-append", strings.Join(params, " "), "-chardev", "file,id=report,path=report"}
	if m.Arch == "amd64" {
		alone := ""
		if job.CPUs > 1 { // a guest that knows that it is one has locks of another kind
			alone = ",hypervisor=off"
		}
		return name, append(args, "-M", "q35", "-cpu", "max"+alone, "-device", "isa-serial,chardev=report,index=1"), nil
	}
	// The architected pointer authentication costs TCG half of its speed.
	return name, append(args, "-M", "virt", "-cpu", "max,pauth-impdef=on", "-device", "pci-serial,chardev=report"), nil
}

// reportPort is the kernel parameter that names the port of the report. The
// kernel hands parameters that it does not know to init, as its environment.
const reportPort = "vmtest_port"

// prepare writes the initramfs.
func (m Machine) prepare(ctx context.Context, tmp string, job Job) error {
	init := filepath.Join(tmp, "init")
	if err := Build(ctx, m.Arch, "github.com/surehook/surehook/internal/cmd/vminit", init); err != nil {
		return err
	}
	data, err := json.Marshal(job)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(tmp, "initrd"))
	if err != nil {
		return err
	}
	files := append([]File{{Name: "/init", From: init}, {Name: JobFile, Data: data}}, job.Files...)
	return errors.Join(writeInitramfs(f, files), f.Close())
}

// Build builds a command of this module for a machine, without cgo. Go's own
// cache makes the second time fast.
func Build(ctx context.Context, arch, pkg, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s for %s: %w: %s", pkg, arch, err, text)
	}
	return nil
}

func (s Step) limit() int {
	if s.Seconds > 0 {
		return s.Seconds
	}
	return DefaultSeconds
}
