//go:build linux && (amd64 || arm64)

package soak

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/running"
)

// leftover finds what is left of supervision of the files below a directory once
// it has ended: probes, marks of fanotify, leases, processes that stand still.
// What the kernel frees later is waited for.
func leftover(dir string) ([]string, error) {
	for end := time.Now().Add(freed); ; time.Sleep(freed / 100) {
		left, err := leftNow(dir)
		if err != nil || len(left) == 0 || time.Now().After(end) {
			return left, err
		}
	}
}

// freed is more than the kernel takes to free a link of which nobody has a descriptor.
const freed = 10 * time.Second

func leftNow(dir string) ([]string, error) {
	left, err := probesIn(dir)
	if err != nil {
		return nil, err
	}
	numbers, err := inodes(dir)
	if err != nil {
		return nil, err
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(locks) { // "1: LEASE ACTIVE READ 17 fe:01:4711 0 EOF"
		if f := strings.Fields(string(line)); len(f) > 5 && f[1] == "LEASE" && numbers[f[5][strings.LastIndexByte(f[5], ':')+1:]] {
			left = append(left, "lease: "+strings.TrimSpace(string(line)))
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, p := range processes {
		left = append(left, markedBy(p, numbers)...)
		if exe, err := os.Readlink(p + "/exe"); err == nil && strings.HasPrefix(exe, dir+"/") {
			left = append(left, fmt.Sprintf("process %s in state %c: %s", filepath.Base(p), stateOf(p), exe))
		}
	}
	return left, nil
}

// probesIn are those in files of the directory.
func probesIn(dir string) ([]string, error) {
	inv, err := running.Read(running.Options{})
	if err != nil {
		return nil, err
	}
	var left []string
	for _, a := range inv.Attachments {
		for _, p := range a.Places {
			if strings.HasPrefix(p.File.Path, dir+"/") {
				left = append(left, fmt.Sprintf("link %d: a probe in %s", a.Link, p.File.Path))
			}
		}
	}
	return left, nil
}

// inodes are the numbers of the files and directories in a directory.
func inodes(dir string) (map[string]bool, error) {
	out := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		id, err := unix.StatPath(path)
		out[fmt.Sprint(id.Ino)] = true
		return err
	})
	return out, err
}

// markedBy are a process's marks of fanotify on files of these numbers:
// "fanotify ino:1f3 sdev:10300001 mflags:8 mask:10000 ...".
func markedBy(process string, numbers map[string]bool) (left []string) {
	files, _ := filepath.Glob(process + "/fdinfo/*") // it has ended if there are none
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(text, []byte("fanotify ino:")) {
			continue
		}
		for line := range bytes.Lines(text) {
			var ino uint64
			if n, _ := fmt.Sscanf(string(line), "fanotify ino:%x", &ino); n == 1 && numbers[fmt.Sprint(ino)] {
				left = append(left, fmt.Sprintf("process %s: %s", filepath.Base(process), bytes.TrimSpace(line)))
			}
		}
	}
	return left
}

// stateOf is the letter of /proc/PID/stat; X for who is not there.
func stateOf(process string) byte {
	text, err := os.ReadFile(process + "/stat")
	if err != nil {
		return 'X'
	}
	rest := bytes.TrimSpace(text[bytes.LastIndexByte(text, ')')+1:])
	if len(rest) == 0 {
		return 'X'
	}
	return rest[0]
}
