package sites

import (
	"io"
	"sync"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// Options of Open. The zero value looks for debug information in the file
// itself only.
type Options struct {
	// Debug says where separate debug files are looked for; Root nil: nowhere.
	Debug elfbin.DebugOptions
	// Cache keeps the index of large files for the next time; nil: nobody does.
	Cache Cache

	// SkipLanding has bodies counted behind their endbr64, where what follows is
	// executed as often and the kernel can emulate it: it steps through an endbr64, which takes ten times as
	// long.
	SkipLanding bool

	// Reserved tells of code of a kernel where a kprobe is refused because the
	// kernel changes it at run time; the address is virtual. nil: the file is
	// none of a kernel, and what uprobes fail on is avoided instead.
	Reserved func(addr uint64) bool
	// Refused tells of further places where it is, for what the instructions are;
	// nil: there are none.
	Refused func(addr uint64) bool
	// Jumps gives where else control may go from an instruction of a kernel
	// than it says (flow.Options.Jumps); nil for programs.
	Jumps func(in *flow.Insn) []uint64

	cacheAll bool // small files too
}

// Binary is an ELF file with its debug information, ready to resolve hooks.
// It is safe for concurrent use.
type Binary struct {
	file   *elfbin.File
	debug  *elfbin.File    // holds the debug information; file itself, another file, or nil
	search elfbin.Search   // where debug information was looked for
	data   debugInfo       // nil without debug information
	loaded *dwarfinfo.Data // data, read whole; see whole
	dwErr  error           // why data is nil although there is a section
	gaps   []Reason        // debug information that was not read
	index  *index          // functions by name and address

	symbols func() []elfbin.Symbol // see functionSymbols, computed once

	calls  func() *callers          // direct callers of the whole binary, computed once
	layout func() *layout           // which code belongs to functions, computed once
	stray  func() strangers         // what code without a DIE may hide, computed once
	plt    func() map[uint64]string // imported functions by their stub's address

	foldedJumps func() map[uint64][]string // functions of which GCC left a jump, computed once
	interposed  func() map[string]bool     // see elfbin.File.Interposed
	pads        func() []elfbin.LandingPad // where exceptions go, read once
	dataBounds  func() []uint64            // where data begins or ends, computed once
	wrappers    func() map[string][]int32  // Go's method wrappers without a copy, computed once
	golang      elfbin.Range               // what Go's compiler and assembler made; empty for other programs

	skipLanding bool // Options.SkipLanding

	reserved func(addr uint64) bool // Options.Reserved
	unprobed func(addr uint64) bool // Options.Refused
	jumps    func(in *flow.Insn) []uint64

	closer    io.Closer // of what the cache gave, or nil
	wholeOnce sync.Once

	mu       sync.Mutex
	bodies   map[int32]*body // by index in data.Funcs
	kept     int             // instructions of their graphs
	noReturn map[uint64]bool // by address of the function

	returning map[uint64]bool // functions that surely return, by address
	unwinds   func() bool     // exceptions may pass the file's functions, computed once
}

// Open reads the file at path and finds its debug information.
func Open(path string, opts Options) (*Binary, error) {
	f, err := elfbin.OpenHeaders(path)
	if err != nil {
		return nil, err
	}
	b, err := New(f, opts)
	if err != nil {
		f.Close()
		return nil, err
	}
	return b, nil
}

// New makes a Binary of an open file, which it takes over.
func New(f *elfbin.File, opts Options) (*Binary, error) {
	b := &Binary{file: f, bodies: map[int32]*body{}, noReturn: map[uint64]bool{}, returning: map[uint64]bool{}}
	b.debug, b.search = elfbin.FindDebug(f, opts.Debug)
	b.reserved, b.unprobed, b.jumps, b.skipLanding = opts.Reserved, opts.Refused, opts.Jumps, opts.SkipLanding
	b.stray = sync.OnceValue(b.findStrangers)
	b.foldedJumps = sync.OnceValue(b.findFoldedJumps)
	b.symbols = sync.OnceValue(func() []elfbin.Symbol { return functionSymbols(f) })
	keep := func() {}
	if b.debug != nil && b.debug.HasDWARF() {
		keep = b.remember(opts)
	}
	b.plt = sync.OnceValue(f.PLT)
	b.unwinds = sync.OnceValue(b.findUnwinds)
	b.dataBounds = sync.OnceValue(b.findDataBounds)
	b.interposed = sync.OnceValue(f.Interposed)
	b.pads = sync.OnceValue(b.findPads)
	if b.index == nil {
		if err := f.LoadSymbols(); err != nil {
			return nil, err
		}
	}
	b.golang = goRange(f)
	b.wrappers = sync.OnceValue(b.findWrappers)
	b.layout = sync.OnceValue(b.findLayout)
	b.calls = sync.OnceValue(b.findCallers)
	if b.index == nil {
		b.index = newIndex(b)
		keep()
	}
	return b, nil
}

// File is the ELF file that probes are put on.
func (b *Binary) File() *elfbin.File { return b.file }

// Data is the debug information without its calls, nil if there is none.
// After an index from the cache it is read now; nil too if that fails.
func (b *Binary) Data() *dwarfinfo.Data {
	d, err := b.whole()
	if err != nil {
		return nil
	}
	return d
}

// Search says where debug information was looked for.
func (b *Binary) Search() elfbin.Search { return b.search }

// Close closes the files.
func (b *Binary) Close() error {
	if b.closer != nil {
		b.closer.Close()
	}
	if b.debug != nil && b.debug != b.file {
		b.debug.Close()
	}
	return b.file.Close()
}

// target describes the file for results.
func (b *Binary) target() Target {
	return Target{Path: b.file.Path(), BuildID: b.file.BuildID(), Arch: b.file.Arch()}
}

// debugInfo is what is asked of debug information, by the indices of
// dwarfinfo.Data.
type debugInfo interface {
	NumFuncs() int32
	Func(i int32) *dwarfinfo.Func
	Copy(i int32) *dwarfinfo.Copy
	Unit(i int32) *dwarfinfo.Unit
	Lines(unit int32) (*dwarfinfo.LineTable, error)
}
