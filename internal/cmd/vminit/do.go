//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/vmtest"
)

// do runs one command to its end.
func do(s vmtest.Step) vmtest.Done {
	if len(s.Args) == 0 {
		return vmtest.Done{Exit: -1, Error: "no command"}
	}
	if s.Seconds == 0 {
		s.Seconds = vmtest.DefaultSeconds
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.Seconds)*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Args[0], s.Args[1:]...)
	cmd.Dir, cmd.Env = s.Dir, s.Env
	if cmd.Env == nil {
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp"}
	}
	// Its children die with it: they hold the pipes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	d := vmtest.Done{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Seconds: time.Since(start).Seconds()}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		d.Exit, d.Error = -1, "killed: "+ctx.Err().Error()
	case errors.As(err, &exit):
		if d.Exit = exit.ExitCode(); d.Exit < 0 {
			d.Error = exit.String()
		}
	case errors.Is(err, os.ErrNotExist):
		d.Exit, d.Error = -1, err.Error()
	case err != nil:
		d.Exit, d.Error = -1, err.Error()
	}
	return d
}
