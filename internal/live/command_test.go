package live

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		line string
		want []string
		err  string
	}{
		{"./prog 10", []string{"./prog", "10"}, ""},
		{"  ./prog\t10 ", []string{"./prog", "10"}, ""},
		{`lua -e 'print("a b")'`, []string{"lua", "-e", `print("a b")`}, ""},
		{`a "b \"c\" \d $x" d`, []string{"a", `b "c" \d $x`, "d"}, ""},
		{`a\ b c\'d`, []string{"a b", "c'd"}, ""},
		{`a"b"'c'd ''`, []string{"abcd", ""}, ""},
		{"", nil, "empty command"},
		{"  ", nil, "empty command"},
		{"a 'b", nil, "single quote at 3"},
		{`a "b`, nil, "double quote at 3"},
		{`a\`, nil, "ends with a backslash"},
	}
	for _, tt := range tests {
		got, err := Split(tt.line)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tt.line, diff)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: %v, want %q", tt.line, err, tt.err)
		}
	}
}

// FuzzSplit: error xor words, and words of plain letters survive quoting.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"./prog 10", `a 'b c' "d\"e" f\ g`, "'", `"\`, "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := Split(s)
		if (err == nil) != (len(words) > 0) {
			t.Fatalf("%q: %q, %v", s, words, err)
		}
		if strings.Contains(s, "'") {
			return
		}
		if again, err := Split("x '" + s + "'"); err != nil || len(again) != 2 || again[1] != s {
			t.Fatalf("%q quoted: %q, %v", s, again, err)
		}
	})
}

func shell(t *testing.T, script string, out *bytes.Buffer) *Command {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell")
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("needs a shell")
	}
	c, err := Start([]string{sh, "-c", script}, Streams{Out: out, Err: out})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCommandStatus(t *testing.T) {
	tests := []struct{ script, status string }{
		{"echo hello", ""},
		{"echo hello; exit 3", "exited with status 3"},
		{"echo hello; kill -KILL $$", "was killed by signal killed"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		c := shell(t, tt.script, &out)
		Wait(context.Background(), Until{Command: c}, nil)
		if got := c.Status(); got != tt.status || out.String() != "hello\n" {
			t.Errorf("%s: status %q, output %q", tt.script, got, out.String())
		}
	}
	if _, err := Start([]string{"/nonexistent/program"}, Streams{}); err == nil {
		t.Error("no error")
	}
}

func TestWaitPassesSignalsOn(t *testing.T) {
	signals := make(chan os.Signal, 2)
	c := shell(t, `exec sleep 60`, &bytes.Buffer{})
	signals <- syscall.SIGTERM
	Wait(context.Background(), Until{Command: c}, signals)
	if got := c.Status(); got != "was killed by signal terminated" {
		t.Error(got)
	}
}

func TestSecondSignalKills(t *testing.T) {
	signals := make(chan os.Signal, 2)
	c := shell(t, `exec sleep 60`, &bytes.Buffer{})
	signals <- os.Interrupt // the terminal has sent it: not passed on
	signals <- os.Interrupt
	Wait(context.Background(), Until{Command: c, Terminal: true, settle: time.Nanosecond}, signals)
	if got := c.Status(); got != "was killed by signal killed" {
		t.Error(got)
	}
}

// TestSignalsAtOnceAreOne: timeout(1) sends two.
func TestSignalsAtOnceAreOne(t *testing.T) {
	signals := make(chan os.Signal, 2)
	var out bytes.Buffer
	c := shell(t, `trap 'kill $!; echo asked; exit 0' TERM; sleep 60 & wait`, &out)
	signals <- syscall.SIGTERM
	signals <- syscall.SIGTERM
	Wait(context.Background(), Until{Command: c, settle: time.Hour}, signals)
	if c.Status() == "was killed by signal killed" {
		t.Error("killed by a signal that came with the first")
	}
}

func TestWaitEnds(t *testing.T) {
	Wait(context.Background(), Until{Duration: time.Millisecond}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	Wait(ctx, Until{}, nil)
	if runtime.GOOS != "linux" {
		t.Skip("waiting for a process that is no child needs Linux")
	}
	c := shell(t, "true", &bytes.Buffer{})
	Wait(context.Background(), Until{PID: c.cmd.Process.Pid}, nil)
}
