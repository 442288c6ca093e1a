package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
)

// registers checks that an argument is where the calling convention has it:
// compilers drop and move those of static functions (SH131).
func (r *reader) registers(c *kcontext) {
	if r.at.Source != bpfobj.FromArg || c.trampoline() {
		return
	}
	if most := mostArgs[c.id.Arch]; most > 0 && r.at.Index >= most {
		r.say(SH131, Error, nil, "arg%d is in no register on %s, which passes %d in registers", r.at.Index, c.id.Arch, most)
		return
	}
	for _, s := range c.target {
		if s.Args == nil {
			continue
		}
		at := slices.Index(s.Args.Place, int8(r.at.Index))
		switch {
		case at == r.at.Index:
		case r.at.Index < len(s.Args.Place) && s.Args.Place[r.at.Index] == kernel.ArgNotKnown:
			r.unclear(c.parameter(r.at.Index), "where it is in "+s.Name+" is not recorded")
		default:
			r.say(SH131, Error, c.arguments(s), "%s is not in its register at the entry of %s: the compiler dropped or moved it", c.parameter(r.at.Index), s.Name)
		}
	}
}

// register checks a register's name (SH203).
func (r *reader) register() {
	if slices.Contains(registerNames(r.id.Arch), r.at.Name) {
		return
	}
	of := "no architecture that is known"
	for _, arch := range []elfbin.Arch{elfbin.AMD64, elfbin.ARM64} {
		if slices.Contains(registerNames(arch), r.at.Name) {
			of = arch.String()
		}
	}
	r.say(SH203, Error, nil, "register %s is one of %s, and this kernel is for %s", r.at.Name, of, r.id.Arch)
}

// registerNames are the names that reg() of bpftrace takes.
func registerNames(arch elfbin.Arch) []string {
	switch arch {
	case elfbin.AMD64:
		return strings.Fields("ax bx cx dx si di bp sp ip cs ss flags orig_ax r8 r9 r10 r11 r12 r13 r14 r15")
	case elfbin.ARM64:
		names := []string{"sp", "pc", "pstate"}
		for i := range 31 {
			names = append(names, fmt.Sprintf("r%d", i))
		}
		return names
	}
	return nil
}
