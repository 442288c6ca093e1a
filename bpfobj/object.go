package bpfobj

import (
	"errors"
	"fmt"
	"io"
)

// Read reads a compiled object of size bytes; path stands for it in the result
// and in errors. What breaks the format is a *FormatError.
func Read(r io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{Path: path, Kind: Object}
	if _, err := f.add(r, size, ""); err != nil {
		return nil, err
	}
	return f, nil
}

// add adds the programs of an object; at stands before their places.
func (f *File) add(r io.ReaderAt, size int64, at string) (*skeleton, error) {
	o, err := readObject(r, size, f.Path)
	if errors.Is(err, ErrByteOrder) {
		f.Skipped = append(f.Skipped, Skipped{What: "object", Where: at, Why: ErrByteOrder.Error()})
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := o.readCode(at)
	if err != nil {
		return nil, err
	}
	k := &skeleton{}
	k.First = firstPointer + pointerSize*c.mapCount()
	for i := range o.sections {
		s := &o.sections[i]
		if !s.code() || s.name == ".text" || s.size == 0 { // .text has functions that programs call
			continue
		}
		f.addSection(c, k, i, at)
	}
	return k, nil
}

// addSection adds the programs of one section.
func (f *File) addSection(c *code, k *skeleton, index int, at string) {
	o, s := c.o, &c.o.sections[index]
	functions := o.functions[index]
	if len(functions) == 0 {
		f.Skipped = append(f.Skipped, Skipped{What: "section " + s.name, Where: at + s.name, Why: "it has no function symbol, without which loaders take no program"})
	}
	untyped := ""
	if c.types == nil {
		untyped = "the object has no BTF: which fields and types it uses is not recorded (compile with clang -g, strip with llvm-strip -g)"
	}
	p := sectionPlace(s.name)
	for _, y := range functions {
		if y.value >= s.size {
			continue // of no instruction
		}
		k.add(-1)
		where := fmt.Sprintf("%s%s+%#x", at, s.name, y.value)
		if p.skip != "" {
			f.Skipped = append(f.Skipped, Skipped{What: "program " + y.name, Where: where, Why: p.skip})
			continue
		}
		entry := place{index, int(y.value / insnSize)}
		k.programs[len(k.programs)-1] = len(f.Programs)
		f.Programs = append(f.Programs, Program{
			Name: y.name, Section: s.name, Where: where, Hooks: p.hooks, HookNotKnown: p.unknown, Optional: p.optional,
			Context: c.context(entry), Untyped: untyped, code: c, entry: entry,
		})
	}
}
