package daemon

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestNotifier(t *testing.T) {
	for name, socket := range map[string]string{"file": filepath.Join(t.TempDir(), "s"), "abstract": "@surehook-test-" + strconv.Itoa(os.Getpid())} {
		t.Run(name, func(t *testing.T) {
			listen := socket
			if listen[0] == '@' {
				listen = "\x00" + listen[1:]
			}
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: listen, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			n := NewNotifier(environment(map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "3000000"}))
			if n.Every() != 1500*time.Millisecond {
				t.Errorf("watchdog every %v", n.Every())
			}
			if err := n.Tell("READY=1", "STATUS=two\nlines"); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 100)
			k, err := l.Read(b)
			if got := string(b[:k]); err != nil || got != "READY=1\nSTATUS=two lines" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestNotifierOfAnother(t *testing.T) {
	n := NewNotifier(environment(map[string]string{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}))
	if n.Every() != 0 {
		t.Error("the watchdog of another process is answered")
	}
	if err := n.Tell("READY=1"); err != nil {
		t.Errorf("without a socket: %v", err)
	}
	n = NewNotifier(environment(map[string]string{"NOTIFY_SOCKET": "/nowhere/s"}))
	if err := n.Tell("READY=1"); err == nil {
		t.Error("no error for a socket that is not there")
	}
}

func environment(m map[string]string) func(string) string {
	return func(k string) string { return m[k] }
}
