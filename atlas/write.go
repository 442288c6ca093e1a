package atlas

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/surehook/surehook/kernel"
)

// Write writes an atlas of the kernels, which keep their order. Put neighbours
// next to each other: they share most. The same kernels give the same bytes.
func Write(w io.Writer, kernels []*kernel.Snapshot) error {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true))
	if err != nil {
		return err
	}
	defer z.Close()
	b := newBuilder()
	for _, k := range kernels {
		if err := b.count(k); err != nil {
			return fmt.Errorf("%s: %w", k.ID.Name, err)
		}
	}
	out := &sink{w: w, z: z}
	out.raw([]byte(magic))
	if b.names, err = b.used.number(); err != nil {
		return err
	}
	for i, k := range kernels {
		if err := b.kernel(out, i, k); err != nil {
			return fmt.Errorf("%s: %w", k.ID.Name, err)
		}
	}
	b.shared(out)
	out.raw(encodeDirectory(out.list, out.at))
	return out.err
}

// sink writes sections.
type sink struct {
	w    io.Writer
	z    *zstd.Encoder
	at   uint64
	list []section
	err  error
}

func (o *sink) raw(b []byte) {
	if o.err == nil {
		_, o.err = o.w.Write(b)
	}
	o.at += uint64(len(b))
}

// section packs and writes one section.
func (o *sink) section(kind sectionKind, kernel, group int, data []byte) {
	packed := o.z.EncodeAll(data, nil)
	o.list = append(o.list, section{kind: kind, kernel: kernel, group: group, offset: o.at, size: uint64(len(packed)), raw: uint64(len(data))})
	o.raw(packed)
}

// groups writes a pool.
func (o *sink) groups(kind sectionKind, list []string, per int, pack func([]string) []byte) {
	for g := 0; g*per < len(list); g++ {
		o.section(kind, shared, g, pack(list[g*per:min((g+1)*per, len(list))]))
	}
}

// builder collects what kernels share.
type builder struct {
	used  counter
	names *numbers

	protos *records[kernel.Proto]
	decls  *records[declaration] // of functions, each of one name
	defs   *records[kernel.Definition]
	events *records[kernel.Tracepoint]
	points *records[kernel.RawTracepoint]
	hooks  *records[kernel.LSMHook]

	defNames []uint32 // by number of the definition
}

func newBuilder() *builder {
	return &builder{
		used: counter{"": 1 << 30}, protos: newRecords(codeProto), decls: newRecords(codeDeclaration), defs: newRecords(codeDefinition), events: newRecords(codeEvent),
		points: newRecords(codePoint), hooks: newRecords(codeHook),
	}
}

// count notes every string of a kernel.
func (b *builder) count(k *kernel.Snapshot) error {
	for i := range k.Functions {
		f := &k.Functions[i]
		b.used.Add(f.Name)
		for j := range f.Protos {
			b.protos.count(b.used, &f.Protos[j])
		}
		for _, file := range files(f) {
			b.used.Add(file)
		}
		for _, s := range f.Symbols {
			b.used.Add(s.Module)
			b.used.Add(suffix(f.Name, s.Name))
		}
		for _, c := range f.Copies {
			b.used.Add(c.Module)
		}
		for _, r := range f.Plan.Reasons {
			b.used.Add(string(r.Code))
			b.used.Add(r.Text)
		}
	}
	for i := range k.Defs {
		b.defs.count(b.used, &k.Defs[i])
	}
	for i := range k.Events {
		b.events.count(b.used, &k.Events[i])
	}
	for i := range k.Raws {
		b.points.count(b.used, &k.Raws[i])
	}
	for i := range k.Hooks {
		b.hooks.count(b.used, &k.Hooks[i])
	}
	for _, s := range k.BPFFuncs {
		b.used.Add(s)
	}
	for key, value := range k.Options {
		b.used.Add(key)
		b.used.Add(value)
	}
	for _, n := range newGraph(k).extra {
		b.used.Add(n.name)
		b.used.Add(n.module)
	}
	return nil
}

// shared writes what all kernels refer to.
func (b *builder) shared(o *sink) {
	o.groups(sectStrings, b.names.list, stringGroup, packStrings)
	var heads column
	heads.put(uint64(len(b.names.list)))
	for i := 0; i < len(b.names.list); i += stringGroup {
		heads.text(b.names.list[i])
	}
	o.section(sectHeads, shared, 0, heads)
	o.groups(sectProtos, b.protos.list, recordGroup, packRecords)
	o.groups(sectDecls, b.decls.list, recordGroup, packRecords)
	o.groups(sectDefs, b.defs.list, recordGroup, packRecords)
	o.groups(sectEvents, b.events.list, recordGroup, packRecords)
	o.groups(sectPoints, b.points.list, recordGroup, packRecords)
	o.groups(sectHooks, b.hooks.list, recordGroup, packRecords)
	var names column
	for _, id := range b.defNames {
		names.put(uint64(id))
	}
	o.section(sectDefNames, shared, 0, names)
	var sizes column
	for _, n := range []int{len(b.protos.list), len(b.decls.list), len(b.defs.list), len(b.events.list), len(b.points.list), len(b.hooks.list)} {
		sizes.put(uint64(n))
	}
	o.section(sectSizes, shared, 0, sizes)
}
