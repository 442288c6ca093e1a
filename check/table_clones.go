package check

// The rules of gotcha 5, partial inlining and clones: bodies with suffixes.
const (
	SH501 Code = "SH501" // .part
	SH502 Code = "SH502" // .isra
	SH503 Code = "SH503" // .constprop
	SH504 Code = "SH504" // .cold
	SH505 Code = "SH505" // .lto_priv, .llvm, .specialized ...
)

func cloneRules() []Rule {
	return []Rule{
		{
			Code: SH501, Title: "partial inlining (.part)", Severity: Error, run: part, kernel: kernelPart,
			Summary: "gcc inlined the head of the function and left the tail in f.part.0.",
			Explanation: `
A function that begins with a cheap test is split: the test is inlined into
the callers, the rest becomes f.part.0:

    int reserve(struct pool *p, int n) {
        if (n > p->max) return -1;        // inlined into every caller
        ... loop, format, print ...        // reserve.part.0
    }

A probe on "reserve" is silent for the callers that hold the head. A probe on
"reserve.part.0" sees the slow path only. Probing both, or the head's records
and the tail, counts some calls twice.`,
			Remedy: "Count the heads, once each, and never the tail: surehook trace does.",
		},
		{
			Code: SH502, Title: "changed parameters (.isra)", Severity: Error, run: isra, kernel: kernelIsra,
			Summary: "gcc changed the parameters and renamed the function f.isra.0.",
			Explanation: `
If all callers are known, gcc drops parameters that are not used and passes the
fields of a structure instead of a pointer to it. The clone is f.isra.0:

    static int get(struct buf *b, int unused)   becomes   get.isra.0(long size)

"uprobe:./prog:get" finds no symbol; arg0 of "get.isra.0" is not what the
source says.`,
			Remedy: "Probe the clone by its name, and take arguments from its debug information.",
		},
		{
			Code: SH503, Title: "folded arguments (.constprop)", Severity: Error, run: constprop, kernel: kernelConstprop,
			Summary: "gcc made copies of the function for constant arguments, called f.constprop.0.",
			Explanation: `
Where callers pass the same constant, gcc makes a body for it:

    log_line(level, text)          called with a variable level
    log_line.constprop.0(text)     called with level 3

The symbol "log_line" is there and attaches; the calls that pass 3 go to the
clone and are lost. If all callers pass 3, only the clone is left.`,
			Remedy: "Probe the function and all its clones.",
		},
		{
			Code: SH504, Title: "unlikely part (.cold)", Severity: Warning, run: cold, kernel: kernelCold,
			Summary: "f.cold is the unlikely part of f, jumped to from its middle; hits are not calls.",
			Explanation: `
gcc moves code that it thinks never runs out of the way, under a symbol of its
own:

    parse          0x1400   the function
    parse.cold     0x10e0   its error paths, entered by jumps

"parse.cold" begins with no call. bpftrace's "uprobe:./prog:parse*" matches it
all the same and counts errors as calls.`,
			Remedy: "Probe the function; with a glob, leave .cold out.",
		},
		{
			Code: SH505, Title: "other clones", Severity: Error, run: otherClone, kernel: kernelOtherClone,
			Summary: "The body is under another symbol: .lto_priv, .llvm.N, .specialized.N and the like.",
			Explanation: `
Link-time optimisation renames static functions that would clash, and clang
renames what it moves between modules:

    init.lto_priv.0        gcc -flto
    parse.llvm.81723       clang -flto=thin
    print.specialized.1    clang, for constant arguments

A probe by the plain name does not attach, or misses these bodies.`,
			Remedy: "Probe the clones by their names; they change with every build.",
		},
	}
}
