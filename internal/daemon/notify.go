package daemon

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Notifier tells the service manager how the daemon is, by the protocol of
// sd_notify(3). The zero value tells nobody.
type Notifier struct {
	socket   string
	watchdog time.Duration
}

// NewNotifier reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the
// environment, as systemd sets them. Without a socket it tells nobody.
func NewNotifier(env func(string) string) Notifier {
	n := Notifier{socket: env("NOTIFY_SOCKET")}
	if pid := env("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n
	}
	if usec, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 {
		n.watchdog = time.Duration(usec) * time.Microsecond
	}
	return n
}

// Every is how often the watchdog wants to hear from us: half of its limit, as
// sd_watchdog_enabled(3) recommends. 0: never.
func (n Notifier) Every() time.Duration { return n.watchdog / 2 }

// Tell sends states ("READY=1", "STATUS=..."). An error is no reason to end:
// the manager may have been restarted.
func (n Notifier) Tell(states ...string) error {
	if n.socket == "" {
		return nil
	}
	name := n.socket
	if strings.HasPrefix(name, "@") {
		name = "\x00" + name[1:] // an abstract name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("cannot tell the service manager at %s: %w", n.socket, err)
	}
	defer conn.Close()
	// A line break in a value would begin another state.
	for i, s := range states {
		states[i] = strings.ReplaceAll(s, "\n", " ")
	}
	if _, err := conn.Write([]byte(strings.Join(states, "\n"))); err != nil {
		return fmt.Errorf("cannot tell the service manager at %s: %w", n.socket, err)
	}
	return nil
}
