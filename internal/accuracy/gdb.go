package accuracy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// gdbPlaces sets a breakpoint on every function in one run of gdb.
func gdbPlaces(ctx context.Context, bin string, b *image, funcs []function) (places, error) {
	script, err := os.CreateTemp(filepath.Dir(filepath.Dir(bin)), "gdb-*.txt")
	if err != nil {
		return nil, err
	}
	defer os.Remove(script.Name())
	_, err = script.WriteString(gdbScript(funcs, ambiguous(b)))
	if err := firstError(err, script.Close()); err != nil {
		return nil, err
	}
	out, err := run(ctx, "", "gdb", "-nx", "-batch", "-x", script.Name(), bin)
	if err != nil {
		return nil, err
	}
	addrs, err := parseGDB(out)
	if err != nil {
		return nil, err
	}
	at := places{}
	for i, list := range addrs {
		if i < 1 || i > len(funcs) {
			return nil, fmt.Errorf("gdb: breakpoint %d of %d", i, len(funcs))
		}
		for _, a := range list {
			off, ok := b.offset(a)
			if !ok {
				return nil, fmt.Errorf("gdb: address %#x of %s is in no segment", a, funcs[i-1])
			}
			at[funcs[i-1]] = append(at[funcs[i-1]], off)
		}
	}
	return at, nil
}

// gdbScript numbers the breakpoints as the functions: what is not found stays
// pending and keeps its number.
func gdbScript(funcs []function, twice map[string]bool) string {
	var s strings.Builder
	s.WriteString("set breakpoint pending on\nset pagination off\nset width 0\nset confirm off\n")
	for _, f := range funcs {
		if twice[f.Name] {
			fmt.Fprintf(&s, "break -source %s -function %s\n", f.File, f.Name)
		} else {
			fmt.Fprintf(&s, "break -function %s\n", f.Name)
		}
	}
	s.WriteString("info breakpoints\n")
	return s.String()
}

// gdbLocation is a row of "info breakpoints", of a breakpoint or of one of
// its locations:
//
//	12      breakpoint     keep y   0x0000000000013ef0 in GCTM at lgc.c:900
//	3.1                         y   0x000000000002b931 in LEfloatint at lvm.c:512
var gdbLocation = regexp.MustCompile(`^(\d+)(?:\.\d+)?\s+(?:breakpoint\s+keep\s+)?y\s+0x([0-9a-f]+)\b`)

// parseGDB gives virtual addresses by breakpoint number.
func parseGDB(out string) (map[int][]uint64, error) {
	_, table, ok := strings.Cut(out, "\nNum ")
	if !ok {
		return nil, fmt.Errorf("gdb: no table of breakpoints in its output: %.200q", out)
	}
	addrs := map[int][]uint64{}
	for line := range strings.Lines(table) {
		m := gdbLocation.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, fmt.Errorf("gdb: %q: %w", line, err)
		}
		a, err := strconv.ParseUint(m[2], 16, 64)
		if err != nil {
			return nil, fmt.Errorf("gdb: %q: %w", line, err)
		}
		addrs[n] = append(addrs[n], a)
	}
	return addrs, nil
}

// firstError is the first that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
