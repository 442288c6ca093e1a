package bench

import "github.com/surehook/surehook/internal/caller"

// instructions are those that uprobes treat each in its own way
// (arch_uprobe_analyze_insn): emulated, executed out of line, or since Linux
// 6.18 replaced by a call.
func instructions() []instruction {
	return []instruction{
		{"nop", caller.Nop}, {"push", caller.Push}, {"endbr64", caller.Endbr},
		{"ret", caller.Ret}, {"nop5", caller.Nop5}, {"nop10", caller.Nop10},
	}
}
