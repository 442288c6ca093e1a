//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"

	"github.com/surehook/surehook/internal/fieldtruth"
)

// value is struct value of reads.bpf.c.
type value struct{ Hits, Got uint64 }

// readAll attaches the programs that read, does what they are about, and
// writes what they got.
func readAll() error {
	if err := rlimit.RemoveMemlock(); err != nil {
		return err
	}
	spec, err := ebpf.LoadCollectionSpec(fieldtruth.ReadsObject)
	if err != nil {
		return err
	}
	var names []string
	for name := range spec.Programs {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []fieldtruth.Value
	for _, name := range names {
		v, err := readOne(spec.Copy(), name)
		v.Program, v.PID = name, uint64(os.Getpid())
		if err != nil {
			v.Error = short(err)
		}
		out = append(out, v)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return os.WriteFile(fieldtruth.ReadsFile, data, 0o644)
}

func readOne(spec *ebpf.CollectionSpec, name string) (v fieldtruth.Value, err error) {
	for n := range spec.Programs {
		if n != name {
			delete(spec.Programs, n)
		}
	}
	c, err := ebpf.NewCollection(spec)
	if err != nil {
		return v, err
	}
	defer c.Close()
	if err := c.Maps["values"].Put(uint32(0), value{Got: uint64(os.Getpid())}); err != nil {
		return v, err
	}
	l, err := attachSection(spec.Programs[name].SectionName, c.Programs[name])
	if err != nil {
		return v, err
	}
	err = errors.Join(work(), l.Close())
	var got value
	if e := c.Maps["values"].Lookup(fieldtruth.Slot(name), &got); e != nil {
		return v, errors.Join(err, e)
	}
	return fieldtruth.Value{Hits: got.Hits, Got: got.Got}, err
}

func attachSection(section string, p *ebpf.Program) (link.Link, error) {
	kind, name, _ := strings.Cut(section, "/")
	switch kind {
	case "kprobe":
		return link.Kprobe(name, p, nil)
	case "tp":
		system, event, _ := strings.Cut(name, "/")
		return link.Tracepoint(system, event, p, nil)
	case "fentry":
		return link.AttachTracing(link.TracingOptions{Program: p})
	}
	return nil, fmt.Errorf("section %q", section)
}

// work removes a file and a directory, renames, sends to a closed port, and
// wakes threads.
func work() error {
	const victim, other = "/tmp/" + fieldtruth.Victim, "/tmp/another"
	var failed error
	do := func(err error) { failed = errors.Join(failed, err) }
	do(os.WriteFile(victim, nil, 0o600))
	do(syscall.Unlink(victim))
	do(os.Mkdir(victim, 0o700))
	do(syscall.Rmdir(victim))
	do(os.WriteFile(other, nil, 0o600))
	do(os.Rename(other, victim))
	do(syscall.Unlink(victim))
	do(loopback())
	c, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		return errors.Join(failed, err)
	}
	for range 3 {
		_, _ = c.Write([]byte("x")) // the second is refused, as it should be
	}
	do(c.Close())
	done := make(chan bool)
	for range 3 { // threads sleep and are woken
		go func() { time.Sleep(time.Millisecond); done <- true }()
		<-done
	}
	return failed
}

// loopback puts the interface lo up.
func loopback() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := struct { // struct ifreq
		name  [16]byte
		flags uint16
		rest  [22]byte
	}{flags: syscall.IFF_UP}
	copy(request.name[:], "lo")
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); e != 0 {
		return e
	}
	return nil
}
