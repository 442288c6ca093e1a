package image

import (
	"bytes"
	"debug/elf"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// addModules adds the modules that were given, and those of packages if they
// are asked for. Their inlined copies are not read.
func (b *builder) addModules() error {
	b.owner = map[string]string{}
	n := 0
	add := func(in Input) error {
		n++
		return b.addModule(in)
	}
	for _, in := range b.files.modules {
		if err := add(in); err != nil {
			return err
		}
	}
	for _, d := range b.files.debs {
		if !b.opts.Modules || d.debug {
			continue
		}
		if err := b.packageModules(d, add); err != nil {
			return err
		}
	}
	if n == 0 {
		b.missing(kernel.Modules, "no modules were given")
		b.missing(kernel.ModuleCalls, "no modules were given")
	}
	b.placeImports()
	b.unread()
	return nil
}

// packageModules gives the modules of a package.
func (b *builder) packageModules(d *archive, add func(Input) error) error {
	return d.each(b.files.opts, d.data, func(name string, size int64, r io.Reader) error {
		base, ext, _ := strings.Cut(path.Base(name), ".ko")
		if base == path.Base(name) || strings.HasPrefix(name, "usr/lib/debug/") || ext != "" && ext[0] != '.' {
			return b.ctx.Err()
		}
		data, err := readLimited(r, maxModule)
		if err != nil {
			return err
		}
		if format := formatOf(data); format != "" {
			if data, err = b.files.unpack(format, bytes.NewReader(data), maxModule); err != nil {
				return err
			}
		}
		return add(Input{d.in.Name + "(" + name + ")", bytes.NewReader(data), int64(len(data))})
	})
}

// importModule stands for the module of an imported function until all are read.
const importModule = "?"

// addModule adds the facts of one module.
func (b *builder) addModule(in Input) error {
	f, err := elfbin.New(in.File, in.Size, in.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := elfSource(f)
	if err != nil {
		return err
	}
	if !hasCode(f) {
		return nil // a debug file
	}
	if s.module, err = moduleName(f); err != nil {
		return err
	}
	if b.core.types != nil {
		if err := s.readTypes(b.core.types); err != nil {
			return err
		}
	}
	b.addSymbols(s)
	if s.types != nil {
		b.addProtos(s)
		b.addKfuncs(s)
	}
	if err := b.addEvents(s); err != nil {
		return err
	}
	for _, y := range s.symbols {
		if y.code && y.global {
			b.owner[y.name] = s.module
		}
	}
	return b.callsOf(s)
}

// unread says of functions of modules that their copies were not read.
func (b *builder) unread() {
	unknown := sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonGap, Text: "inlined copies in modules were not read"}}}
	for _, f := range b.funcs {
		if slices.ContainsFunc(f.Symbols, func(y kernel.Symbol) bool { return y.Module != "" }) {
			f.Plan = merge(f.Plan, f.Plan.Verdict != "", unknown)
		}
	}
}

// hasCode tells a module from a debug file, whose code has no bytes.
func hasCode(f *elfbin.File) bool {
	return slices.ContainsFunc(f.Sections(), func(s elfbin.SectionHeader) bool {
		return s.Flags&elf.SHF_EXECINSTR != 0 && s.Type != elf.SHT_NOBITS && s.Size > 0
	})
}

// moduleName is the module's name as the kernel has it: by its .modinfo, which
// has it since 4.12, or the file's.
func moduleName(f *elfbin.File) (string, error) {
	info, err := f.Section(".modinfo")
	if err != nil {
		return "", err
	}
	for _, item := range bytes.Split(info, []byte{0}) {
		if name, ok := bytes.CutPrefix(item, []byte("name=")); ok && len(name) > 0 {
			return string(name), nil
		}
	}
	base, _, _ := strings.Cut(path.Base(strings.TrimRight(f.Path(), ")")), ".ko")
	return strings.ReplaceAll(base, "-", "_"), nil
}

// placeImports says which module an imported function is in.
func (b *builder) placeImports() {
	for i := range b.snap.Edges {
		e := &b.snap.Edges[i]
		if e.CalleeModule != importModule {
			continue
		}
		e.CalleeModule = ""
		if _, kernel := b.core.byName[e.Callee]; !kernel {
			e.CalleeModule = b.owner[e.Callee]
		}
	}
}
