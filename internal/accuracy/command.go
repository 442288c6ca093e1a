package accuracy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// commandError is a command that failed, with what it wrote.
type commandError struct {
	args   []string
	output string
	err    error
}

// maxErrorOutput keeps a compiler's thousand errors out of one message.
const maxErrorOutput = 2000

func (e *commandError) Error() string {
	out := strings.TrimSpace(e.output)
	if len(out) > maxErrorOutput {
		out = out[:maxErrorOutput] + " ..."
	}
	return fmt.Sprintf("%s: %v: %s", strings.Join(e.args, " "), e.err, out)
}

func (e *commandError) Unwrap() error { return e.err }

// cleanEnv is the whole environment of every command: no locale, no LUA_PATH,
// no ZSTD_CLEVEL, nothing that differs between two machines.
func cleanEnv() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/nonexistent", "TZ=UTC", "DEBUGINFOD_URLS=", "SUREHOOK_CACHE=off"}
}

// run runs a command in dir and gives what it wrote to standard output. On
// failure the error carries both outputs.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = cleanEnv()
	var out, all bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = &all
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", &missingError{"no " + name + " on this machine", "apt-get install " + packageOf(name)}
		}
		return out.String(), &commandError{append([]string{name}, args...), all.String() + out.String(), err}
	}
	return out.String(), nil
}

// packageOf is the Debian package of a command, where the names differ.
func packageOf(command string) string {
	switch command {
	case "clang++":
		return "clang"
	case "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++":
		return strings.TrimPrefix(command, "aarch64-linux-gnu-") + "-aarch64-linux-gnu"
	case "opt":
		return "llvm"
	case "perf":
		return "linux-perf"
	case "setarch":
		return "util-linux"
	}
	return command
}

// firstLine is the first line a command prints, "" when it cannot be run.
func firstLine(ctx context.Context, name string, args ...string) string {
	out, err := run(ctx, "", name, args...)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(out, "\n")
	return strings.TrimSpace(line)
}
