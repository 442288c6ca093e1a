package live

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// tracefs is where the tracing file system is mounted: on its own, or below
// debugfs on old systems.
var tracefs = []string{"sys/kernel/tracing", "sys/kernel/debug/tracing"}

// tracing reads a file of the tracing file system.
func (k *Kernel) tracing(name string) (data []byte, path string, err error) {
	var first error
	for _, dir := range tracefs {
		path := dir + "/" + name
		if data, err = fs.ReadFile(k.root, path); err == nil {
			return data, path, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, tracefs[0] + "/" + name, first
}

// place is a module and a symbol, or an address, of ftrace's list.
type place struct{ module, symbol string }

// ftraceTable says where ftrace has locations: by address where the kernel
// tells (6.5 and later), else by name.
type ftraceTable struct {
	addresses []uint64 // sorted; nil: names only
	names     map[place]int
}

// ftraceReach is how far behind a symbol's address ftrace's location may lie:
// behind ENDBR64 or BTI and the saving of the return address.
const ftraceReach = 16

func (k *Kernel) readFtrace() (*ftraceTable, string) {
	t := &ftraceTable{names: map[place]int{}}
	data, path, err := k.tracing("available_filter_functions_addrs")
	withAddress := err == nil
	if err != nil {
		if data, path, err = k.tracing("available_filter_functions"); err != nil {
			return nil, cannot(path, err)
		}
	}
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if withAddress && len(fields) > 1 {
			a, err := strconv.ParseUint(strings.TrimPrefix(fields[0], "0x"), 16, 64)
			if err != nil {
				return nil, fmt.Sprintf("/%s: %q is no address", path, fields[0])
			}
			if a != 0 {
				t.addresses = append(t.addresses, a)
			}
			fields = fields[1:]
		}
		if len(fields) == 0 {
			continue
		}
		p := place{symbol: fields[0]}
		if len(fields) > 1 && strings.HasPrefix(fields[1], "[") {
			p.module = strings.Trim(fields[1], "[]")
		}
		t.names[p]++
	}
	if len(t.names) == 0 {
		return nil, "/" + path + " is empty"
	}
	slices.Sort(t.addresses)
	return t, ""
}

// refusal is a range of the kprobe blacklist.
type refusal struct{ low, high uint64 }

// readBlacklist reads lines "0xlow-0xhigh\tname".
func (k *Kernel) readBlacklist() ([]refusal, string) {
	data, err := fs.ReadFile(k.root, blacklistFile)
	if err != nil {
		return nil, cannot(blacklistFile, err)
	}
	var list []refusal
	known := false
	for line := range bytes.Lines(data) {
		text, _, _ := strings.Cut(strings.TrimSpace(string(line)), "\t")
		low, high, ok := strings.Cut(text, "-")
		if !ok {
			continue
		}
		from, err1 := strconv.ParseUint(strings.TrimPrefix(low, "0x"), 16, 64)
		to, err2 := strconv.ParseUint(strings.TrimPrefix(strings.Fields(high)[0], "0x"), 16, 64)
		if err1 != nil || err2 != nil {
			return nil, fmt.Sprintf("/%s: %q is no range", blacklistFile, text)
		}
		known = known || from != 0
		list = append(list, refusal{from, to})
	}
	if !known {
		return nil, "/" + blacklistFile + " hides the addresses: run as root"
	}
	return list, ""
}

// judged says of symbols what can be put on them.
func (k *Kernel) judged(symbols []kernel.Symbol) []kernel.Symbol {
	ftrace, _ := k.ftrace()
	black, why := k.blacklist()
	same := map[place]int{}
	for _, s := range symbols {
		same[place{s.Module, s.Name}]++
	}
	for i := range symbols {
		s := &symbols[i]
		if ftrace != nil {
			s.Traceable = ftrace.has(s, same[place{s.Module, s.Name}])
		}
		if why == "" && s.Address != 0 {
			s.Refused = kernel.Is(slices.ContainsFunc(black, func(r refusal) bool { return r.low <= s.Address && s.Address < r.high }))
		}
	}
	return symbols
}

// has tells whether ftrace has a location at the beginning of a symbol, of
// whose name there are same many.
func (t *ftraceTable) has(s *kernel.Symbol, same int) kernel.Answer {
	if len(t.addresses) > 0 && s.Address != 0 {
		i, _ := slices.BinarySearch(t.addresses, s.Address)
		reach := s.Address + ftraceReach
		if s.Size > 0 {
			reach = min(reach, s.Address+s.Size)
		}
		return kernel.Is(i < len(t.addresses) && t.addresses[i] < reach)
	}
	switch t.names[place{s.Module, s.Name}] {
	case 0:
		return kernel.No
	case same:
		return kernel.Yes
	}
	return kernel.NotKnown
}
