package check

import "fmt"

// interposed: the library itself asks the dynamic linker for the function (SH307).
func interposed(c context) []Finding {
	if !c.Notes.Interposed || c.Hook.HasAddress || c.Hook.HasOffset {
		return nil
	}
	name := c.symbolName()
	return []Finding{{
		Message:  fmt.Sprintf("%s of this library can be replaced by that of another (LD_PRELOAD, malloc libraries): then the probe sees nothing", c.asked()),
		Evidence: []string{"the library reaches its own " + name + " through the dynamic linker"},
		Remedy:   "see which definition a program is bound to:\nLD_DEBUG=bindings PROGRAM 2>&1 | grep \"symbol .\"" + shellQuote(name),
	}}
}
