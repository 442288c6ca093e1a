//go:build linux && (amd64 || arm64)

package soak

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// BuildDaemon builds the command surehook in a directory.
func BuildDaemon(dir string) (string, error) {
	program := filepath.Join(dir, "surehook")
	out, err := exec.Command("go", "build", "-o", program, "github.com/surehook/surehook/cmd/surehook").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build surehook: %w\n%s", err, out)
	}
	return program, nil
}

// Daemon is "surehook watch", which is ended and begun anew.
type Daemon struct {
	dir, program, addr string
	parent             parent

	mu    sync.Mutex // of what follows
	cmd   *exec.Cmd
	log   *os.File
	ready chan struct{} // closed when this one is ready
	since time.Time     // when it was
	runs  int
	last  Calls
	wrong []string // what its counters did that they must not do
}

// NewDaemon makes its files in a directory that is its own, with a BPF file system.
func NewDaemon(dir, program, library string) (*Daemon, error) {
	if err := os.MkdirAll(filepath.Join(dir, "bpf"), 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &Daemon{dir: dir, program: program, addr: l.Addr().String()}
	var hooks strings.Builder
	hooks.WriteString("hooks:\n")
	for _, i := range Hooked() {
		fmt.Fprintf(&hooks, "- {hook: \"uprobe:%s:%s\", name: %s}\n", library, Functions()[i], Functions()[i])
	}
	if err := errors.Join(l.Close(), os.WriteFile(filepath.Join(dir, "hooks.yaml"), []byte(hooks.String()), 0o644)); err != nil {
		return nil, err
	}
	if d.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	if err := syscall.Mount("bpf", filepath.Join(dir, "bpf"), "bpf", 0, ""); err != nil {
		return nil, fmt.Errorf("mounting a BPF file system: %w", err)
	}
	d.parent = newParent()
	return d, nil
}

func (d *Daemon) pins() string  { return filepath.Join(d.dir, "bpf", "surehook") }
func (d *Daemon) state() string { return filepath.Join(d.dir, "state") }

// Start begins one. Ready tells when every hook is in force.
func (d *Daemon) Start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs++
	name := filepath.Join(d.dir, fmt.Sprintf("notify%d", d.runs))
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	cmd := exec.Command(d.program, "watch", "-f", filepath.Join(d.dir, "hooks.yaml"), "--no-gap",
		"--pin", d.pins(), "--state", d.state(), "--listen", d.addr, "--log-level", "debug")
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+name)
	cmd.Stdout, cmd.Stderr = d.log, d.log
	if err := d.parent.start(cmd); err != nil {
		return errors.Join(err, socket.Close())
	}
	ready := make(chan struct{})
	d.cmd, d.ready = cmd, ready
	go func() {
		defer os.Remove(name)
		defer socket.Close()
		if socket.SetReadDeadline(time.Now().Add(readyTime)) != nil || !saysReady(socket) {
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.ready == ready {
			d.since = time.Now()
			close(ready)
		}
	}()
	return nil
}

// readyTime is more than any start takes.
const readyTime = 30 * time.Second

func saysReady(socket *net.UnixConn) bool {
	buf := make([]byte, 4096)
	for {
		n, err := socket.Read(buf)
		if err != nil {
			return false
		}
		if strings.HasPrefix(string(buf[:n]), "READY=1") {
			return true
		}
	}
}

// Ready is closed when the one that was started last is ready.
func (d *Daemon) Ready() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ready
}

// await waits until it is ready, and tells since when it is.
func (d *Daemon) await() (time.Time, error) {
	select {
	case <-d.Ready():
	case <-time.After(readyTime):
		return time.Time{}, fmt.Errorf("the daemon is not ready after %v: see %s", readyTime, d.log.Name())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.since, nil
}

// Kill ends it with SIGKILL and tells since when it was ready; zero: it was not yet.
func (d *Daemon) Kill() (since time.Time, err error) {
	d.mu.Lock()
	cmd := d.cmd
	select {
	case <-d.ready:
		since = d.since
	default:
	}
	d.ready = nil // what it may have said comes too late
	d.mu.Unlock()
	err = cmd.Process.Kill()
	_ = cmd.Wait() // "signal: killed"
	return since, err
}

// answerTime bounds an answer.
const answerTime = 10 * time.Second

// scrape reads the counters, and notes what they must not do: go down, or say
// more than was called.
func (d *Daemon) scrape(truth *Truth) (Calls, error) {
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		return Calls{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return Calls{}, err
	}
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.0\r\n\r\n"); err != nil {
		return Calls{}, err
	}
	c, err := parseMetrics(conn)
	if err != nil {
		return c, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	called := truth.Calls()
	for _, i := range Hooked() {
		switch {
		case c[i] < d.last[i]:
			d.wrong = append(d.wrong, fmt.Sprintf("%s went down from %d to %d", Functions()[i], d.last[i], c[i]))
		case c[i] > called[i]:
			d.wrong = append(d.wrong, fmt.Sprintf("%s was called %d times, counted %d", Functions()[i], called[i], c[i]))
		}
		d.last[i] = max(d.last[i], c[i])
	}
	return c, nil
}

// parseMetrics reads surehook_executions_total{hook="NAME"} N. All that are hooked must be there.
func parseMetrics(r io.Reader) (Calls, error) {
	var c Calls
	found := 0
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), `surehook_executions_total{hook="`)
		if !ok {
			continue
		}
		name, number, _ := strings.Cut(rest, `"} `)
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return c, fmt.Errorf("metrics: %w", err)
		}
		for _, i := range Hooked() {
			if Functions()[i] == name {
				c[i] = uint64(n)
				found++
			}
		}
	}
	if found != len(Hooked()) {
		return c, fmt.Errorf("metrics: %d of %d hooks", found, len(Hooked()))
	}
	return c, lines.Err()
}

// end ends it for good, as docs/supervision.md says, and tells what is left.
func (d *Daemon) end() (left []string, err error) {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	if err := d.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the daemon at its end: %w", err)
	}
	left, err = d.strays()
	return left, errors.Join(err, os.RemoveAll(d.pins()), os.RemoveAll(d.state()))
}

// strays are pins and records that do not go together.
func (d *Daemon) strays() ([]string, error) {
	pins, err := os.ReadDir(d.pins())
	if err != nil {
		return nil, err
	}
	records, err := os.ReadDir(d.state())
	if err != nil {
		return nil, err
	}
	pinned, recorded := map[string]bool{}, map[string]bool{}
	for _, p := range pins {
		if parts := strings.Split(p.Name(), "_"); len(parts) > 1 {
			pinned[parts[1]] = true
		}
	}
	var left []string
	for _, r := range records {
		name, ok := strings.CutSuffix(r.Name(), ".set.json")
		switch {
		case ok:
			recorded[name] = true
		case r.Name() != "totals.json":
			left = append(left, "file "+r.Name())
		}
	}
	for name := range pinned {
		if !recorded[name] {
			left = append(left, "pins of "+name+" without a record")
		}
	}
	for name := range recorded {
		if !pinned[name] {
			left = append(left, "record of "+name+" without pins")
		}
	}
	return left, nil
}

// Close frees what the daemons were given.
func (d *Daemon) Close() error {
	d.parent.end()
	return errors.Join(d.log.Close(), syscall.Unmount(filepath.Join(d.dir, "bpf"), syscall.MNT_DETACH))
}
