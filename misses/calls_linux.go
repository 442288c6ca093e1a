package misses

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Calls reads which helpers programs call, as the kernel's functions that stand
// in their place: "bpf_trace_printk", "htab_map_update_elem". A program that the
// kernel does not show the code of is not in it.
func Calls(programs []Program) (map[uint32][]string, error) {
	symbols, base, err := helperSymbols("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	out := map[uint32][]string{}
	for i := range programs {
		id := programs[i].ID
		code, err := instructions(id)
		if errors.Is(err, os.ErrNotExist) {
			continue // unloaded meanwhile
		}
		if err != nil {
			continue // without CAP_SYS_ADMIN or with a hardened JIT the code is not shown: not known
		}
		list, known := []string{}, true
		for _, ins := range code {
			if !ins.IsBuiltinCall() {
				continue
			}
			// bpf_insn_prepare_dump leaves the distance from __bpf_call_base.
			name, ok := symbols[base+uint64(int64(int32(ins.Constant)))]
			known = known && ok
			if ok && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
		if known {
			out[id] = list
		}
	}
	return out, nil
}

func instructions(id uint32) (asm.Instructions, error) {
	p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
	if err != nil {
		return nil, err
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return nil, err
	}
	return info.Instructions()
}

// helperSymbols reads the kernel's functions by address, and the address that
// calls are relative to.
func helperSymbols(path string) (byAddress map[uint64]string, base uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	return readHelperSymbols(f)
}

func readHelperSymbols(r io.Reader) (map[uint64]string, uint64, error) {
	out, base := map[uint64]string{}, uint64(0)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		part := strings.Fields(lines.Text())
		if len(part) != 3 || part[1] != "t" && part[1] != "T" {
			continue
		}
		at, err := strconv.ParseUint(part[0], 16, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("kallsyms: %w", err)
		}
		if part[2] == "__bpf_call_base" {
			base = at
		}
		if out[at] == "" || strings.HasPrefix(part[2], "bpf_") {
			out[at] = part[2]
		}
	}
	if base == 0 {
		return nil, 0, errors.New("kallsyms: no address of __bpf_call_base; sysctl kernel.kptr_restrict=1 shows addresses to root")
	}
	return out, base, lines.Err()
}
