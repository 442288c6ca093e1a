package elfbin

// Limits on what bytes may make this package do. Each has room for any file
// that a linker writes; a file beyond one is refused with a FormatError.
const (
	// maxProgramHeaders is what the kernel loads: 64 KiB of headers
	// (load_elf_phdrs in fs/binfmt_elf.c), 56 bytes each.
	maxProgramHeaders = 65536 / programHeaderSize

	// maxLoadFactor bounds the sum of the PT_LOAD segments' bytes and of the
	// sections' bytes, in file sizes. Real segments share at most a page with
	// a neighbour, real sections nothing.
	maxLoadFactor = 4

	// maxNameFactor bounds the bytes of all names of a symbol table, in file
	// sizes: names may share their bytes, so that without it a small table
	// could cost the square of its size. An entry is 24 bytes, which alone
	// grants an average name of 1536 bytes.
	maxNameFactor = 64

	// maxVersions bounds the version records read: a version index has 15 bits.
	maxVersions = 1 << 15

	// maxRead bounds one table or section as stored: a sparse file is as
	// large as its maker likes and costs him nothing.
	maxRead = 8 << 30

	// maxDecompressed bounds one decompressed section. The largest seen are
	// those of browsers, with 1 to 2 GB of .debug_info.
	maxDecompressed = 4 << 30

	// maxRatio bounds decompressed to compressed size. Debug sections shrink
	// to a half or a tenth; deflate's own bound is 1032.
	maxRatio = 256

	// freeDecompressed needs no ratio: a short, regular section shrinks more.
	freeDecompressed = 1 << 20

	// maxMiniDebug bounds the decompressed .gnu_debugdata: symbols and names of
	// some million functions. Distributions' largest programs have a tenth.
	maxMiniDebug = 256 << 20

	// maxInterp is PATH_MAX, the kernel's bound on PT_INTERP.
	maxInterp = 4096

	// maxNeeded bounds the libraries of one file; the largest programs name a
	// few hundred.
	maxNeeded = 4096

	// maxPLT bounds the bytes of procedure linkage tables that are decoded.
	maxPLT = 64 << 20

	// maxLSDA bounds the bytes of all exception tables of a file; the largest
	// C++ programs have some ten megabytes.
	maxLSDA = 256 << 20
)
