package dwarfinfo

import (
	"errors"
	"fmt"
)

// Param is a formal parameter of a function, or of one body of it.
type Param struct {
	Offset uint64 // of the DIE in .debug_info
	Origin uint64 // of the DIE in the abstract instance that it is of; Offset itself without one
	Name   string // empty if only the origin has it
	Place  Place  // where it is when the body is entered
	Reg    uint8  // valid for InRegister: by its number in DWARF
}

// Place says where a parameter is.
type Place uint8

// The places.
const (
	NoPlace    Place = iota // nowhere: no location is recorded for the entry
	InRegister              // whole, in one register
	IsConstant              // its value is known
	Elsewhere               // in memory, split, or computed
)

// maxParams bounds the parameters of one function: C11 5.2.4.1 asks for 127,
// macros and generated code have made 300.
const maxParams = 1 << 12

// errOtherFile: the parameters of functions from other files are not read.
var errOtherFile = errors.New("the function is described in another file")

// ParamReader reads the parameters of functions, best in the order of
// Data.Funcs: it keeps one unit. It is not safe for concurrent use.
type ParamReader struct {
	d        *Data
	loc      []byte // .debug_loc
	loclists []byte // .debug_loclists

	u     *unit
	table *abbrevs
	buf   []byte
}

// Params begins to read parameters.
func (d *Data) Params() (*ParamReader, error) {
	p := &ParamReader{d: d}
	var err error
	if p.loc, err = d.src.Section(".debug_loc"); err == nil {
		p.loclists, err = d.src.Section(".debug_loclists")
	}
	if err != nil {
		return nil, fmt.Errorf("location lists: %w", err)
	}
	return p, nil
}

// Of gives the parameters of function i of Data.Funcs, in order. An abstract
// instance's and a declaration's have no place.
func (p *ParamReader) Of(i int32) ([]Param, error) {
	fn := p.d.Func(i)
	if err := p.open(fn.Unit); err != nil {
		return nil, err
	}
	w := walker{u: p.u, table: p.table, c: cursor{data: p.u.bytes, base: int(p.u.off)}}
	if fn.Offset < p.u.off || fn.Offset >= p.u.off+uint64(len(p.u.bytes)) {
		return nil, &FormatError{".debug_info", fn.Offset, errIndex}
	}
	w.c.pos = int(fn.Offset - p.u.off)
	a := w.table.find(w.c.uleb())
	if a == nil || a.act != actFunc {
		return nil, &FormatError{".debug_info", fn.Offset, errCode}
	}
	w.skipAttrs(a)
	var out []Param
	for a.children && w.c.pos < len(w.c.data) && len(out) < maxParams {
		at := uint64(w.c.base + w.c.pos)
		code := w.c.uleb()
		if code == 0 {
			break
		}
		child := w.table.find(code)
		if child == nil {
			w.c.fail(errCode)
			break
		}
		if child.act != actParam || child.children {
			w.skipTree(child)
			continue
		}
		out = append(out, p.param(&w, child, at, fn))
	}
	if w.c.err != nil {
		return nil, &FormatError{".debug_info", fn.Offset, w.c.err}
	}
	return out, nil
}

// open makes a unit's bytes and abbreviations available.
func (p *ParamReader) open(index int32) error {
	if p.u != nil && p.u.index == index {
		return nil
	}
	meta := p.d.Unit(index)
	if meta.File != "" {
		return errOtherFile
	}
	if p.u != nil {
		p.u.secs.tabs.release(p.u.abbrev, p.table)
		p.u = nil
	}
	secs := p.d.secs
	var h *header
	if err := secs.headersFrom(int(meta.Offset), 0, func(found *header) bool {
		h = found
		return false
	}); err != nil || h == nil || h.gap != nil || h.off != meta.Offset {
		return &FormatError{".debug_info", meta.Offset, errIndex}
	}
	u := &unit{header: *h, index: index, secs: secs, lines: secs}
	u.open()
	table, err := secs.tabs.get(u.abbrev, u.enc)
	if err != nil {
		return &FormatError{".debug_abbrev", u.abbrev, err}
	}
	if err := u.read(&p.buf, u.end); err != nil {
		secs.tabs.release(u.abbrev, table)
		return err
	}
	p.u, p.table = u, table
	return nil
}

// param reads one parameter.
func (p *ParamReader) param(w *walker, a *abbrev, at uint64, fn *Func) Param {
	out := Param{Offset: at, Origin: at}
	for i := range a.read {
		o := &a.read[i]
		if o.kind != opAttr {
			w.c.step(o, w.u)
			continue
		}
		before := w.c.pos
		v := w.u.value(&w.c, o.form, o.n)
		if w.c.err != nil {
			return out
		}
		switch o.attr {
		case attrName:
			out.Name, _ = w.u.text(v)
		case attrAbstractOrigin:
			if v.class == classRef {
				out.Origin = v.u
			}
		case attrConstValue:
			out.Place = IsConstant
		case attrLocation:
			out.Place, out.Reg = p.location(w, o.form, v, w.c.data[before:w.c.pos], fn)
		}
	}
	return out
}

// location decides where a location attribute puts a parameter at the entry.
func (p *ParamReader) location(w *walker, form uint16, v value, raw []byte, fn *Func) (Place, uint8) {
	if pos, ok := v.position(); ok {
		if len(fn.Ranges) == 0 && !fn.HasEntry {
			return NoPlace, 0
		}
		entry := fn.EntryPC
		if !fn.HasEntry {
			entry = fn.Ranges[0].Low
		}
		expr, ok := p.list(pos, entry)
		if !ok {
			return NoPlace, 0
		}
		return placeOf(expr)
	}
	c := cursor{data: raw}
	switch form {
	case formExprloc, formBlock:
		c.uleb()
	case formBlock1:
		c.u8()
	case formBlock2:
		c.u16()
	case formBlock4:
		c.u32()
	default:
		return Elsewhere, 0
	}
	return placeOf(c.data[c.pos:])
}

// Operations of location expressions (DWARF5 §7.7.1).
const (
	opAddr          = 0x03
	opLit0          = 0x30
	opReg0          = 0x50
	opReg31         = 0x6f
	opRegx          = 0x90
	opConst1u       = 0x08
	opConsts        = 0x11
	opImplicitValue = 0x9e
	opStackValue    = 0x9f
	opGNUParamRef   = 0xfa // the caller's argument, which this body does not get (binutils' dwarf2.def)
)

// placeOf says what an expression means for a parameter.
func placeOf(expr []byte) (Place, uint8) {
	if len(expr) == 0 {
		return NoPlace, 0
	}
	first, last := expr[0], expr[len(expr)-1]
	switch {
	case first >= opReg0 && first <= opReg31 && len(expr) == 1:
		return InRegister, first - opReg0
	case first == opRegx && len(expr) == 2 && expr[1] < 0x80:
		return InRegister, expr[1]
	case first == opGNUParamRef:
		return NoPlace, 0
	case first == opImplicitValue:
		return IsConstant, 0
	case last == opStackValue && (first == opAddr || first >= opLit0 && first < opReg0 && len(expr) == 2 || first >= opConst1u && first <= opConsts):
		return IsConstant, 0
	}
	return Elsewhere, 0
}
