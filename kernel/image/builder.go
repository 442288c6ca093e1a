package image

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/btf"
	"github.com/surehook/surehook/sites"
)

// builder gathers the facts of one kernel.
type builder struct {
	ctx   context.Context
	opts  Options
	files *files
	core  *source
	snap  *kernel.Snapshot
	funcs map[string]*kernel.Function

	layouts layouts           // of the kernel's types
	owner   map[string]string // module by the global symbols that it has
	patched *patches          // of the kernel itself, once they were asked for
}

func newBuilder(ctx context.Context, opts Options, f *files) (*builder, error) {
	b := &builder{ctx: ctx, opts: opts, files: f, core: f.core, snap: &kernel.Snapshot{}, funcs: map[string]*kernel.Function{}}
	return b, f.core.readTypes(nil)
}

// readTypes reads the BTF of a kernel, or of a module of it.
func (s *source) readTypes(base *btf.Facts) error {
	if len(s.btf) == 0 {
		return nil
	}
	var err error
	if s.types, err = btf.Read(s.btf, base); err != nil {
		return &FormatError{s.path, ".BTF", 0, err}
	}
	return nil
}

// build takes one kind of facts after the other.
func (b *builder) build() (*kernel.Snapshot, error) {
	b.identify()
	b.addSymbols(b.core)
	b.addTypes()
	events := func() error { return b.addEvents(b.core) }
	for _, step := range []func() error{events, b.addInlining, b.addCalls, b.addModules, b.ctx.Err} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	b.addConfig()
	b.snap.Functions = make([]kernel.Function, 0, len(b.funcs))
	for _, f := range b.funcs {
		b.snap.Functions = append(b.snap.Functions, *f)
	}
	b.snap.Sort()
	return b.snap, nil
}

// function gives the facts under a source name, new ones if there are none.
func (b *builder) function(name string) *kernel.Function {
	f := b.funcs[name]
	if f == nil {
		f = &kernel.Function{Name: name, BTF: kernel.NotKnown}
		if b.core.types != nil {
			f.BTF = kernel.No
		}
		b.funcs[name] = f
	}
	return f
}

// missing says why a topic is not known; the first reason stays.
func (b *builder) missing(t kernel.Topic, why string) {
	b.snap.Unknown[t] = cmp.Or(b.snap.Unknown[t], why)
}

// identify says which kernel it is by its banner.
func (b *builder) identify() {
	s := b.core
	id := kernel.Identity{Arch: s.arch, BuildID: s.buildID, Source: s.path, Package: strings.Join(b.files.packages, ", ")}
	if at, ok := s.byName["linux_banner"]; ok {
		text, _ := s.text(at)
		id.Banner = strings.TrimSpace(text)
	}
	id.Release = releaseOf(id.Banner)
	id.Name = cmp.Or(b.opts.Name, nameOf(id), path.Clean(s.path))
	b.snap.ID = id
}

// releaseOf takes the release out of a banner, "Linux version 6.1.0-50-cloud-amd64 (...".
func releaseOf(banner string) string {
	rest, ok := strings.CutPrefix(banner, "Linux version ")
	if !ok {
		return ""
	}
	release, _, _ := strings.Cut(rest, " ")
	return release
}

// nameOf names the kernels of distributions; "" for others.
func nameOf(id kernel.Identity) string {
	if id.Release != "" && strings.Contains(id.Banner, "debian") {
		return "debian-" + id.Release
	}
	return ""
}

// addConfig takes over the configuration.
func (b *builder) addConfig() {
	b.snap.Options = b.files.config
	if b.files.config == nil {
		b.missing(kernel.Config, "no configuration was given, and the kernel holds none (CONFIG_IKCONFIG): give boot/config-"+cmp.Or(b.snap.ID.Release, "RELEASE"))
	}
}

// addSymbols adds the function symbols with what the kernel's tables say of them.
func (b *builder) addSymbols(s *source) {
	marks := b.readMarks(s)
	variables := map[string]bool{}
	for _, y := range s.symbols {
		if !y.code {
			variables[y.name] = true
		}
	}
	for i, y := range s.symbols {
		if !y.code {
			continue
		}
		name, kind := sourceName(y.name)
		out := kernel.Symbol{
			Name: y.name, Address: y.addr, Size: y.size, Module: s.module, Kind: kind, Global: y.global,
			Init:      slices.ContainsFunc(s.init, func(r elfbin.Range) bool { return r.Contains(y.addr) }),
			Traceable: marks.traceable(&s.symbols[i]), Refused: marks.refused(&s.symbols[i]),
			Variable: variables[y.name],
		}
		f := b.function(name)
		f.Symbols = append(f.Symbols, out)
	}
	if s.module == "" && len(b.funcs) == 0 {
		b.missing(kernel.Symbols, "the file has no symbols")
	}
}

// sourceName gives the function that a symbol is of.
func sourceName(symbol string) (string, kernel.SymbolKind) {
	name, clone, part, cold := sites.SymbolName(symbol)
	switch {
	case cold:
		return name, kernel.Cold
	case part:
		return name, kernel.Part
	case clone:
		return name, kernel.Clone
	}
	return name, kernel.Body
}

// addTypes adds what the kernel's BTF says.
func (b *builder) addTypes() {
	if b.core.types == nil {
		for _, t := range []kernel.Topic{kernel.Signatures, kernel.Types, kernel.RawArgs, kernel.LSMHooks, kernel.Kfuncs} {
			b.missing(t, fmt.Sprintf("%s has no BTF (CONFIG_DEBUG_INFO_BTF)", b.core.path))
		}
		return
	}
	b.addProtos(b.core)
	b.snap.Defs = b.core.types.Defs
	b.layouts = newLayouts(b.snap.Defs)
	b.addKfuncs(b.core)
	b.addHooks()
}

// addProtos adds the signatures of functions that have symbols.
func (b *builder) addProtos(s *source) {
	for name, protos := range s.types.Funcs {
		f := b.funcs[name]
		if f == nil {
			continue // of a symbol with another name, or none
		}
		f.BTF = kernel.Yes
		for _, p := range protos {
			if !slices.ContainsFunc(f.Protos, p.Equal) {
				f.Protos = append(f.Protos, p)
			}
		}
	}
}

// addHooks adds the LSM hooks. Kernels before 5.7, and those without
// CONFIG_BPF_LSM, have no bpf_lsm_ functions.
func (b *builder) addHooks() {
	off := b.core.idSet("bpf_lsm_disabled_hooks")
	for _, h := range b.core.types.Hooks {
		_, code := b.core.byName["bpf_lsm_"+h.Name]
		h.Attachable = kernel.Is((code || b.core.types.LSMFuncs[h.Name]) && !slices.Contains(off, "bpf_lsm_"+h.Name))
		b.snap.Hooks = append(b.snap.Hooks, h)
	}
	if len(b.snap.Hooks) == 0 {
		b.missing(kernel.LSMHooks, "the kernel's BTF has no union security_list_options")
	}
}
