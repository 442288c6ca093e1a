package sites

import (
	"fmt"
	"strings"
)

// NotFoundError says that no function of a file matches a hook.
type NotFoundError struct {
	Path     string
	Function string
	Near     []string // the nearest names, best first; may be empty
	NoDebug  bool     // the file has no debug information: a fully inlined function would not show
	Refused  string   // debug files that could not be taken or fetched, and why; empty: none
	Nameless int      // pieces of code that .eh_frame describes and no symbol names
	Unread   string   // what of the debug information was not read and may hold the function; empty: nothing
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no function matches %q", e.Path, e.Function)
	if e.NoDebug {
		b.WriteString(" (the file has no debug information, so functions without a symbol cannot be found")
		if e.Refused != "" {
			b.WriteString("; " + e.Refused)
		}
		b.WriteString(")")
	}
	if e.Unread != "" {
		fmt.Fprintf(&b, " in what can be read of the debug information (%s)", e.Unread)
	}
	if e.NoDebug && e.Nameless > 0 {
		fmt.Fprintf(&b, "; %d functions or parts of them have no name here: hook them as uprobe:%s:ADDRESS", e.Nameless, e.Path)
	}
	if len(e.Near) > 0 {
		fmt.Fprintf(&b, "; did you mean %s?", strings.Join(e.Near, ", "))
	}
	return b.String()
}

// AddressError says that a hook's address or offset cannot be probed.
type AddressError struct {
	Path    string
	Address uint64 // virtual address
	Why     string
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("%s: virtual address %#x: %s", e.Path, e.Address, e.Why)
}
