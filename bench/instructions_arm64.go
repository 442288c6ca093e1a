package bench

import "github.com/surehook/surehook/internal/caller"

// instructions are those that uprobes treat each in its own way
// (arch_uprobe_analyze_insn): simulated or executed out of line.
func instructions() []instruction {
	return []instruction{{"nop", caller.Nop}, {"stp", caller.Push}, {"bti", caller.Endbr}, {"ret", caller.Ret}}
}
