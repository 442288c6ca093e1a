package check

// The rules of gotcha 3, dynamic links: what a name in a file stands for.
const (
	SH301 Code = "SH301" // symbol versions
	SH302 Code = "SH302" // indirect function
	SH303 Code = "SH303" // aliases
	SH304 Code = "SH304" // imported function
	SH305 Code = "SH305" // several functions of one name
	SH306 Code = "SH306" // offset of another build
	SH307 Code = "SH307" // interposable function
	SH308 Code = "SH308" // no such function in the file
	SH309 Code = "SH309" // file that is not here
	SH310 Code = "SH310" // probe on a file that was replaced
	SH311 Code = "SH311" // probe that is not installed
	SH312 Code = "SH312" // mount held busy
)

func linkRules() []Rule {
	return []Rule{
		{
			Code: SH301, Title: "symbol versions", Severity: Warning, run: versions,
			Summary: "The plain name stands for several versions of a symbol, or only for an old one.",
			Explanation: `
A library keeps old versions of a function so that programs linked long ago
go on working. The versions share a name and have different addresses:

    memcpy@GLIBC_2.2.5     0x9c7a0   programs linked before 2011
    memcpy@@GLIBC_2.14     0x9f2c0   programs linked since (the default, @@)

A program is bound to one of them when it is linked. A probe on "memcpy" sits
on one address, or on several, depending on the tool and on the order of the
symbol table. If it is the wrong one, it attaches and sees nothing.`,
			Remedy: `Name the version, "uprobe:libc:memcpy@GLIBC_2.2.5", or probe all of them.`,
		},
		{
			Code: SH302, Title: "indirect function", Severity: Error, run: ifunc,
			Summary: "The symbol is an IFUNC resolver: it runs once, the function itself is elsewhere.",
			Explanation: `
An indirect function (GNU IFUNC) is chosen when the program is linked at run
time, mostly by the CPU. The symbol's address is the resolver's, which returns
the address of the implementation:

    strlen                 GNU_IFUNC   runs once, when strlen is bound
    __strlen_avx2          FUNC        runs at every call on this machine
    __strlen_evex          FUNC        runs on another

A probe on "strlen" therefore sees one hit a process, or none if the program
was bound before the probe was there. libbpf does not find the symbol at all.`,
			Remedy: "Probe the implementation that is used on this machine.",
		},
		{
			Code: SH303, Title: "aliases", Severity: Info, run: aliases,
			Summary: "Several names are one body: the probe counts the calls by every name.",
			Explanation: `
An alias is a second symbol at the same address:

    malloc                 0x97f30
    __libc_malloc          0x97f30

An uprobe is put on the address. It cannot know by which name the function was
called, so the count of "malloc" includes the calls of "__libc_malloc".`,
			Remedy: "Nothing is lost. Read the count as that of all names; look at the caller to tell them apart.",
		},
		{
			Code: SH304, Title: "imported function", Severity: Error, run: undefined,
			Summary: "The file calls the function but does not contain it.",
			Explanation: `
A program that calls "malloc" has a symbol "malloc", but an undefined one: the
body is in libc. All there is in the program is a stub in the procedure
linkage table (PLT), which calls from elsewhere do not pass:

    $ nm -D ./prog | grep malloc
                     U malloc@GLIBC_2.2.5

Tools differ: one refuses the symbol, one probes the stub and sees this
program's calls only, and programs built with -fno-plt have no stub.`,
			Remedy: "Name the library that defines the function: uprobe:libc:malloc.",
		},
		{
			Code: SH305, Title: "several functions of one name", Severity: Error, run: sameName,
			Summary: "Static functions of different source files share the name.",
			Explanation: `
Each source file may have a static function "init" of its own, and a static
inline function of a header becomes one body in every file that needs it:

    init                   0x1129   of a.c
    init                   0x114d   of b.c

bpftrace, libbpf and cilium/ebpf resolve the name to one of them (the first,
an error, or the last). bpftrace even turns an address back into a name and
that into the first address. The calls of the others are lost.`,
			Remedy: "Probe all of them by address, and look at the address to tell them apart.",
		},
		{
			Code: SH306, Title: "offset of another build", Severity: Error, run: otherBuild,
			Summary: "The offset or address was computed for a file with another build id.",
			Explanation: `
An uprobe is bound to a file and an offset. Offsets change with every build: a
line more in a function above, another compiler, another option. Put into
another build, the offset is the middle of another function, or of an
instruction:

    build 4f1c...   add        0x1149
    build 9a07...   validate   0x1149   add moved to 0x1191

Nothing checks it: the probe attaches, counts something else, and a breakpoint
inside an instruction breaks the program. --build-id HEX says which build the
offset is for.`,
			Remedy: "Compute the place again, from the function's name, for the file that runs.",
		},
		{
			Code: SH307, Title: "interposable function", Severity: Info, run: interposed,
			Summary: "The library asks the dynamic linker for its own function: another definition may be called instead.",
			Explanation: `
A library that exports a function calls it through its procedure linkage table
(PLT) unless it was linked with -Bsymbolic or the function is hidden. Whose
definition that is, the process decides: the program's own, or of the first
library that has one, LD_PRELOAD before all:

    malloc   libjemalloc.so.2    this one is called, by libc too
    malloc   libc.so.6           the probe is here and sees nothing

Nothing is wrong with the probe; the function it is on is just not executed.`,
			Remedy: "See which definition the process is bound to: LD_DEBUG=bindings.",
		},
		{
			Code: SH308, Title: "no such function in the file", Severity: Error, beyond: true,
			Summary: "A script or program hooks a function that the file does not have: the probe is not attached.",
			Explanation: `
The names of functions in a library are an interface only if the library says
so. Debian's sslsnoop.bt has

    uprobe:libcrypto:rsa_ossl_public_encrypt

a static function of OpenSSL, which a stripped libcrypto does not name.
Versions before 0.24 of bpftrace leave such a probe out; from then on the
script is rejected.`,
			Remedy: "Hook an exported function, or give the file's debug information.",
		},
		{
			Code: SH309, Title: "file that is not here", Severity: Warning, beyond: true,
			Summary: "A script or program hooks a file that is not on this machine: what becomes of the probe cannot be told.",
			Explanation: `
What a uprobe sees depends on the very build of the file:

    uprobe:libssl:SSL_read

is answered for the libssl that is installed where surehook runs.`,
			Remedy: "Check where the file is installed.",
		},
		{
			Code: SH310, Title: "probe on a file that was replaced", Severity: Error, beyond: true,
			Summary: "A probe that is attached sits on a file that is not there any more, or that changed under it.",
			Explanation: `
A uprobe belongs to an inode and an offset in it, not to a name:

    mv libx.so.new libx.so    the probe stays on the old file: programs that
                              start now run the new one and are not seen
    cp libx.so.new libx.so    the offset is in other code now: something else
                              is counted, or the program crashes

The kernel tells of uprobe.multi links that their file has no name any more. Of
other probes only the time of the file says that it may have changed.`,
			Remedy: "Start the program that attached the probe again, or have it follow updates.",
		},
		{
			Code: SH311, Title: "probe that is not installed", Severity: Error, beyond: true,
			Summary: "A probe is attached, and a process runs the file without the breakpoint.",
			Explanation: `
Attaching a uprobe and putting its breakpoint into a process are two steps.
The second is taken when a process maps the file, and its errors are dropped:

    attach            success
    mmap in a.out     the kernel cannot execute the instruction elsewhere, or
                      the page is not private: no breakpoint, no error

Nothing counts such calls. The breakpoint can be read back in the process's
memory; it is not there.`,
			Remedy: "Probe another instruction of the function; surehook trace and watch say so when they attach.",
		},
		{
			Code: SH312, Title: "mount held busy", Severity: Info, beyond: true,
			Summary: "A file system cannot be unmounted because a probe holds a file of it.",
			Explanation: `
A uprobe keeps the mount of its file busy as long as it is attached:

    umount /var/lib/containers/.../merged    target is busy

Containers and image builds then fail to clean up, though no process has a
file open there.`,
			Remedy: "Attach through a mount of one's own (open_tree) or the lower layer, as surehook watch does; or detach first.",
		},
	}
}
