package cases

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/internal/live"
)

// stepTime bounds one build step and the traced program: they take
// milliseconds, a cold Go build some seconds.
const stepTime = 2 * time.Minute

// writtenFor is the compilers' major versions that the expectations and the
// want sections are for. Others may make other code: there only "complete
// means exact" is checked.
func writtenFor() map[string]string {
	return map[string]string{
		"gcc": "12", "g++": "12", "aarch64-linux-gnu-gcc": "12", "clang": "14", "clang++": "14",
	}
}

// make runs the commands of a variant in dir. It skips the test where a
// program is missing, and tells whether the compilers are those the case was
// written for.
func (v *variant) make(t *testing.T, dir string) (known bool) {
	t.Helper()
	known = true
	for _, line := range v.build {
		words, err := live.Split(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		program, err := exec.LookPath(words[0])
		if err != nil {
			t.Skip(words[0] + " is not installed")
		}
		if want := writtenFor()[words[0]]; want != "" && !strings.HasPrefix(version(t, program), want) {
			known = false
		}
		if out, err := command(t, dir, words).CombinedOutput(); err != nil {
			if missing := lacks(string(out)); missing != "" {
				t.Skip(missing)
			}
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	return known
}

// lacks finds in a compiler's message that a part of it is not installed.
func lacks(message string) string {
	for _, part := range []string{"cannot find 'ld", "invalid linker name", "no default toolchain", "rustup could not choose"} {
		if strings.Contains(message, part) {
			return strings.TrimSpace(message)
		}
	}
	return ""
}

func version(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.Command(program, "-dumpversion").Output()
	if err != nil {
		t.Fatalf("%s -dumpversion: %v", program, err)
	}
	return string(out)
}

// command is a program in dir that does not depend on the user's settings.
func command(t *testing.T, dir string, words []string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	if strings.Contains(words[0], "/") {
		cmd.Path = filepath.Join(dir, words[0])
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "PWD="+dir)
	return cmd
}
