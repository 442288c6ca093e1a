package check

import (
	"fmt"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
)

// otherRegisters: the program reads registers by where another architecture
// has them (SH203).
func otherRegisters(c *kcontext) ([]kfinding, error) {
	if c.id.Arch == elfbin.UnknownArch {
		return nil, nil
	}
	t, err := c.trace(c.program)
	if err != nil {
		return nil, err
	}
	for _, f := range t.Failed {
		if ofRegisters(f.Relo) {
			k := kfinding{reason: reasonRefusedProgram, plain: blocks}
			k.Function = f.Relo.String()
			k.Message = fmt.Sprintf("the program reads %s, a register that %s does not have", f.Relo.FieldName(), c.id.Arch)
			k.Evidence = []string{at(f.Relo.Where, f.Relo.Line)}
			unless(&k, f.Unless)
			return []kfinding{k}, nil
		}
	}
	if !c.kprobe() && !c.multi() {
		return nil, nil
	}
	made := madeFor(c.program, t)
	if made == elfbin.UnknownArch || made == c.id.Arch {
		return nil, nil
	}
	for _, r := range t.Reads {
		if r.Relo != nil && c.Missing(kernel.Types) == "" {
			continue
		}
		k := kfinding{reason: reasonChanged}
		k.Function = c.name
		k.Message = fmt.Sprintf("the program reads %s at byte %d of the registers, as on %s; on %s that is %s", registerName(made, r.Offset), r.Offset, made, c.id.Arch, registerName(c.id.Arch, r.Offset))
		k.Evidence = []string{at(r.Where, r.Line)}
		unless(&k, r.Unless)
		return []kfinding{k}, nil
	}
	return nil, nil
}

// madeFor is the architecture whose registers a program knows: by the object's
// own struct pt_regs, else by offsets that only one of them uses.
func madeFor(p *bpfobj.Program, t *bpfobj.Trace) elfbin.Arch {
	defs, err := p.Definitions("pt_regs")
	if err != nil {
		return elfbin.UnknownArch
	}
	for _, d := range defs {
		for _, m := range d.Members {
			switch m.Name {
			case "di", "rdi":
				return elfbin.AMD64
			case "regs", "user_regs":
				return elfbin.ARM64
			}
		}
	}
	if defs, err = p.Definitions("user_pt_regs"); err == nil && len(defs) > 0 {
		return elfbin.ARM64
	}
	found := elfbin.UnknownArch
	for _, r := range t.Reads {
		if r.Size != 8 {
			continue
		}
		_, amd := registers(elfbin.AMD64)[r.Offset]
		_, arm := registers(elfbin.ARM64)[r.Offset]
		switch {
		case amd && !arm && found != elfbin.ARM64:
			found = elfbin.AMD64
		case arm && !amd && found != elfbin.AMD64:
			found = elfbin.ARM64
		default:
			return elfbin.UnknownArch
		}
	}
	return found
}

// registerName names what is at an offset of the registers, in bytes.
func registerName(a elfbin.Arch, offset int) string {
	const pc, sp, lr = 256, 248, 240 // of arm64
	switch {
	case a == elfbin.AMD64 && offset >= 0 && offset < 168 && offset%8 == 0:
		return [...]string{"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di",
			"orig_ax", "ip", "cs", "flags", "sp", "ss"}[offset/8]
	case a == elfbin.ARM64 && offset == pc:
		return "pc"
	case a == elfbin.ARM64 && offset == sp:
		return "sp"
	case a == elfbin.ARM64 && offset >= 0 && offset <= lr && offset%8 == 0:
		return fmt.Sprintf("x%d", offset/8)
	}
	return "no argument"
}
