package live

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"sync"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// Name is the name of the running kernel for users.
const Name = "live"

// Files of the running kernel, below the root.
const (
	releaseFile   = "proc/sys/kernel/osrelease"
	bannerFile    = "proc/version"
	notesFile     = "sys/kernel/notes"
	kallsymsFile  = "proc/kallsyms"
	blacklistFile = "sys/kernel/debug/kprobes/blacklist"
	btfDir        = "sys/kernel/btf"
	lsmFile       = "sys/kernel/security/lsm"
	cmdlineFile   = "proc/cmdline"
	kprobePMU     = "sys/bus/event_source/devices/kprobe"
)

// Kernel is the running kernel. It is safe for concurrent use.
type Kernel struct {
	root fs.FS
	id   kernel.Identity

	symbols   func() (*symbolTable, string)
	ftrace    func() (*ftraceTable, string)
	blacklist func() ([]refusal, string)
	types     func() (typeTable, string)
	lists     func() (*typeLists, error)
	events    func() ([]kernel.Tracepoint, string)
	config    func() (map[string]string, string)
}

// New makes a Kernel of the file system root, os.DirFS("/"), on a machine of
// the architecture. It fails if there is no running Linux to be seen.
func New(root fs.FS, arch elfbin.Arch) (*Kernel, error) {
	release, err := fs.ReadFile(root, releaseFile)
	if err != nil {
		return nil, fmt.Errorf("the running kernel: %w; is /proc mounted?", err)
	}
	k := &Kernel{root: root}
	banner, _ := fs.ReadFile(root, bannerFile) // without it the release must do
	k.id = kernel.Identity{
		Name: Name, Release: strings.TrimSpace(string(release)), Banner: strings.TrimSpace(string(banner)), Arch: arch,
		BuildID: k.buildID(), Source: "the running kernel",
	}
	k.symbols = sync.OnceValues(k.readSymbols)
	k.ftrace = sync.OnceValues(k.readFtrace)
	k.blacklist = sync.OnceValues(k.readBlacklist)
	k.types = sync.OnceValues(k.readTypes)
	k.lists = sync.OnceValues(k.readLists)
	k.events = sync.OnceValues(k.readEvents)
	k.config = sync.OnceValues(k.readConfig)
	return k, nil
}

// Identity says which build it is.
func (k *Kernel) Identity() kernel.Identity { return k.id }

// Close does nothing: no file stays open.
func (k *Kernel) Close() error { return nil }

// Reasons for what the running kernel never says.
const (
	noInlining = "the running kernel does not say where functions are inlined; that is in its debug information (package linux-image-...-dbg, or an atlas of this very build)"
	noCalls    = "the running kernel's code is not read; a vmlinux or an atlas of this very build has the calls"
)

// noInlining says why inlining is not known. Debug information that is
// installed and of this build would have been joined.
func (k *Kernel) noInlining() string {
	for _, path := range DebugPaths(k.id.Release) {
		if k.exists(path) {
			return noInlining + "; /" + path + " is here, but of another build or not to be read: surehook kernel snapshot /" + path + " says"
		}
	}
	return noInlining
}

// Missing says why a topic is not known, "" if it is.
func (k *Kernel) Missing(t kernel.Topic) (why string) {
	switch t {
	case kernel.Symbols, kernel.Modules:
		_, why = k.symbols()
	case kernel.Inlining:
		why = k.noInlining()
	case kernel.Calls, kernel.ModuleCalls, kernel.CertainCalls:
		why = noCalls
	case kernel.Ftrace:
		_, why = k.ftrace()
	case kernel.Blacklist:
		_, why = k.blacklist()
	case kernel.Tracepoints:
		_, why = k.events()
	case kernel.Signatures, kernel.RawArgs, kernel.LSMHooks, kernel.Types:
		_, why = k.types()
	case kernel.Config:
		_, why = k.config()
	case kernel.Kfuncs:
		if _, why = k.types(); why == "" {
			if l, err := k.lists(); err == nil && len(l.kfuncs) == 0 {
				why = "the kernel's BTF does not mark kfuncs; kernels from 6.10 on do"
			}
		}
	default:
		why = "not a topic"
	}
	return why
}

// Function gives the facts on a source name.
func (k *Kernel) Function(name string) (kernel.Function, bool, error) {
	f := kernel.Function{Name: name, Plan: sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonNoDebug, Text: k.noInlining()}}}}
	table, why := k.symbols()
	if why == "" || table != nil {
		f.Symbols = k.judged(table.of(name))
	}
	if types, _ := k.types(); types != nil {
		protos, err := types.protos(name)
		if err != nil {
			return kernel.Function{}, false, err
		}
		f.Protos, f.BTF = protos, kernel.Is(len(protos) > 0)
	}
	if len(f.Symbols) == 0 && len(f.Protos) == 0 {
		return kernel.Function{}, false, nil
	}
	return f, true, nil
}

// Symbol gives the source name behind a symbol.
func (k *Kernel) Symbol(name string) (string, bool, error) {
	table, _ := k.symbols()
	if table == nil {
		return "", false, nil
	}
	function, _, _, _ := sites.SymbolName(name)
	for _, s := range table.of(function) {
		if s.Name == name {
			return function, true, nil
		}
	}
	return "", false, nil
}

// Names gives the source names of all functions, sorted.
func (k *Kernel) Names() (iter.Seq[string], error) {
	table, _ := k.symbols()
	if table == nil {
		return func(func(string) bool) {}, nil
	}
	return table.names(), nil
}

// Callers gives nothing: Missing(Calls).
func (k *Kernel) Callers(string) ([]kernel.Call, error) { return nil, nil }

// CountCallers gives 0: Missing(Calls).
func (k *Kernel) CountCallers(string) (int, error) { return 0, nil }

// Callees gives nothing: Missing(Calls).
func (k *Kernel) Callees(string) ([]kernel.Call, error) { return nil, nil }

// buildID reads the GNU build id out of the kernel's ELF notes, "" if it
// cannot be read.
func (k *Kernel) buildID() string {
	const align, gnuBuildID = 4, 3
	data, err := fs.ReadFile(k.root, notesFile)
	if err != nil {
		return ""
	}
	for len(data) >= 12 { // both architectures are little-endian
		word := func(at int) uint64 {
			return uint64(data[at]) | uint64(data[at+1])<<8 | uint64(data[at+2])<<16 | uint64(data[at+3])<<24
		}
		nameSize, descSize, typ := word(0), word(4), word(8)
		desc := 12 + (nameSize+align-1)/align*align
		next := desc + (descSize+align-1)/align*align
		if desc+descSize > uint64(len(data)) {
			return ""
		}
		if typ == gnuBuildID && bytes.Equal(data[12:12+nameSize], []byte("GNU\x00")) {
			return hex.EncodeToString(data[desc : desc+descSize])
		}
		data = data[min(next, uint64(len(data))):]
	}
	return ""
}

// cannot says in words why a file is not read.
func cannot(file string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "/" + file + " is not there"
	case errors.Is(err, fs.ErrPermission):
		return "/" + file + " may not be read: run as root (a locked-down kernel refuses it even then)"
	}
	return fmt.Sprintf("/%s: %v", file, err)
}
