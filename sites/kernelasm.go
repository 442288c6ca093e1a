package sites

import "strings"

// kernelAsm are the functions that C files of the Linux kernel hold as
// assembly: they have no debug information, and nothing is inlined into them.
var kernelAsm = map[string]bool{
	"__static_call_return": true, "nop_func": true, "paravirt_ret0": true, "paravirt_BUG": true, // DEFINE_ASM_FUNC
	"_paravirt_nop": true, "_paravirt_ident_64": true, "pv_native_save_fl": true, "pv_native_irq_disable": true,
	"pv_native_irq_enable": true, "pv_native_read_cr2": true,
	"arch_rethook_trampoline": true, "__kretprobe_trampoline": true, "kretprobe_trampoline": true, "optprobe_template_func": true,
	"int3_magic":  true, // arch/x86/kernel/alternative.c: a self-test
	"dummy_tramp": true, // arch/arm64/net/bpf_jit_comp.c
}

// kernelAssembly tells the kernel's functions in assembly by their names: those
// above, trampolines of static calls (include/linux/static_call_types.h), thunks
// of paravirt_types.h, and veneers that the linker makes for an arm64 erratum.
func kernelAssembly(name string) bool {
	return kernelAsm[name] || strings.HasPrefix(name, "__SCT__") || strings.HasPrefix(name, "__raw_callee_save_") || strings.HasPrefix(name, "e843419@")
}
