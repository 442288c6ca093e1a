package live

import (
	"bytes"
	"cmp"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// symbolTable has the symbols of code, by address.
type symbolTable struct {
	list  []entry
	first map[string]int32 // of a function's symbols; the others follow by entry.next
}

type entry struct {
	function string
	next     int32 // 0: none, as links only lead to entries behind
	kernel.Symbol
}

// maxGap bounds what the distance to the next symbol may tell of a size: code
// of modules lies anywhere. The largest function of Linux 7.3 has 50 KB.
const maxGap = 1 << 20

const hidden = "/proc/kallsyms hides the addresses: run as root (kernel.kptr_restrict, CAP_SYSLOG)"

// readSymbols reads /proc/kallsyms. Where its addresses are hidden, the table
// comes with a reason.
func (k *Kernel) readSymbols() (*symbolTable, string) {
	data, err := fs.ReadFile(k.root, kallsymsFile)
	if err != nil {
		return nil, cannot(kallsymsFile, err)
	}
	t := parseKallsyms(data)
	if len(t.list) == 0 {
		return nil, "/proc/kallsyms has no functions (CONFIG_KALLSYMS)"
	}
	if !slices.ContainsFunc(t.list, func(e entry) bool { return e.Address != 0 }) {
		return t, hidden
	}
	return t, ""
}

// parseKallsyms reads lines "address type name" with "\t[module]" behind the
// names of modules. Lines that are none are passed over.
func parseKallsyms(data []byte) *symbolTable {
	t := &symbolTable{}
	var initFrom, initTo uint64
	var variables []variable
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		address, letter, name, module, ok := kallsymsLine(line)
		if !ok {
			continue
		}
		switch name {
		case "_sinittext":
			initFrom = address
		case "_einittext":
			initTo = address
		}
		if e, ok := newEntry(address, letter, name, module); ok {
			t.list = append(t.list, e)
		} else if strings.IndexByte("tTwW", letter) < 0 {
			variables = append(variables, variable{name, module})
		}
	}
	for i := range t.list {
		e := &t.list[i]
		e.Init = e.Module == "" && initFrom <= e.Address && e.Address < initTo
	}
	t.sizes()
	t.link()
	for _, v := range variables {
		t.mark(v)
	}
	return t
}

// variable is a symbol of data.
type variable struct{ name, module string }

// mark notes at the functions of a variable's name that there is one.
func (t *symbolTable) mark(v variable) {
	i, ok := t.first[v.name]
	for ok {
		e := &t.list[i]
		e.Variable = e.Variable || e.Name == v.name && e.Module == v.module
		i = e.next
		ok = i != 0
	}
}

func kallsymsLine(line []byte) (address uint64, letter byte, name, module string, ok bool) {
	digits := 0
	for digits < len(line) && digits < 16 {
		c := line[digits]
		switch {
		case c >= '0' && c <= '9':
			address = address<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			address = address<<4 | uint64(c-'a'+10)
		default:
			c = ' '
		}
		if c == ' ' {
			break
		}
		digits++
	}
	if digits == 0 || len(line) < digits+4 || line[digits] != ' ' || line[digits+2] != ' ' {
		return 0, 0, "", "", false
	}
	rest := line[digits+3:]
	if i := bytes.IndexByte(rest, '\t'); i >= 0 {
		module = string(bytes.Trim(rest[i+1:], "[]"))
		rest = rest[:i]
	}
	return address, line[digits+1], string(rest), module, len(rest) > 0
}

// newEntry makes an entry of a symbol that is a function's. Padding, mapping
// symbols and the code that the kernel makes at run time are none.
func newEntry(address uint64, letter byte, name, module string) (entry, bool) {
	global := letter == 'T' || letter == 'W'
	if !global && letter != 't' && letter != 'w' {
		return entry{}, false
	}
	if strings.HasPrefix(name, "__pfx_") || strings.HasPrefix(name, "__cfi_") || strings.HasPrefix(name, "$") ||
		module == "bpf" || strings.HasPrefix(module, "__builtin__") {
		return entry{}, false
	}
	function, clone, part, cold := sites.SymbolName(name)
	kind := kernel.Body
	switch {
	case cold:
		kind = kernel.Cold
	case part:
		kind = kernel.Part
	case clone:
		kind = kernel.Clone
	}
	return entry{function: function, Symbol: kernel.Symbol{Name: name, Address: address, Module: module, Kind: kind, Global: global}}, true
}

// sizes takes the distance to the next symbol for a size.
func (t *symbolTable) sizes() {
	byAddress := func(a, b entry) int { return cmp.Compare(a.Address, b.Address) }
	if !slices.IsSortedFunc(t.list, byAddress) { // those of modules
		slices.SortStableFunc(t.list, byAddress)
	}
	next := uint64(0)
	for i := len(t.list) - 1; i >= 0; i-- {
		e := &t.list[i]
		if i+1 < len(t.list) && t.list[i+1].Address > e.Address {
			next = t.list[i+1].Address
		}
		if next > e.Address && next-e.Address <= maxGap {
			e.Size = next - e.Address
		}
	}
}

// link chains the symbols of each function.
func (t *symbolTable) link() {
	t.first = make(map[string]int32, len(t.list))
	for i := len(t.list) - 1; i >= 0; i-- {
		e := &t.list[i]
		e.next = t.first[e.function]
		t.first[e.function] = int32(i)
	}
}

// of gives the symbols of a function, by module and address.
func (t *symbolTable) of(function string) []kernel.Symbol {
	i, ok := t.first[function]
	if !ok {
		return nil
	}
	var out []kernel.Symbol
	for {
		out = append(out, t.list[i].Symbol)
		if i = t.list[i].next; i == 0 {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b kernel.Symbol) int {
		return cmp.Or(strings.Compare(a.Module, b.Module), cmp.Compare(a.Address, b.Address), strings.Compare(a.Name, b.Name))
	})
	return out
}

// names gives the functions, sorted.
func (t *symbolTable) names() iter.Seq[string] {
	return slices.Values(slices.Sorted(maps.Keys(t.first)))
}
