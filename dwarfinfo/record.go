package dwarfinfo

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/flat"
)

// storedUnit is a unit as it is stored: one record, as what lies in one body
// is asked for together.
type storedUnit struct {
	unit   Unit
	funcs  []Func
	copies []Copy
}

// code codes the unit with the given number. first are the numbers of its
// first function and copy, count those of all functions.
func (u *storedUnit) code(c *flat.Coder, number, firstFunc, firstCopy, count int32) {
	u.unit.code(c)
	offset := u.unit.Offset
	next := firstCopy
	i := firstFunc
	flat.Slice(c, &u.funcs, func(f *Func) {
		f.Unit = number
		c.Delta(&f.Offset, offset)
		offset = f.Offset
		f.code(c, i, next)
		if f.EndCopy < f.FirstCopy || f.Root < 0 || f.Root >= count {
			c.Fail()
		}
		i, next = i+1, f.EndCopy
	})
	offset, i = u.unit.Offset, firstCopy
	flat.Slice(c, &u.copies, func(p *Copy) {
		p.Unit = number
		c.Delta(&p.Offset, offset)
		offset = p.Offset
		p.code(c, i, firstFunc)
		u.check(c, p, i, firstFunc, count)
		i++
	})
	if next != i {
		c.Fail()
	}
}

// check makes sure that indexes lead to where they must.
func (u *storedUnit) check(c *flat.Coder, p *Copy, i, firstFunc, count int32) {
	if p.Func < firstFunc || p.Func >= firstFunc+int32(len(u.funcs)) || p.Origin < -1 || p.Origin >= count {
		c.Fail()
		return
	}
	f := &u.funcs[p.Func-firstFunc]
	if i < f.FirstCopy || i >= f.EndCopy || p.Parent != -1 && (p.Parent < f.FirstCopy || p.Parent >= i) {
		c.Fail()
	}
}

func (u *Unit) code(c *flat.Coder) {
	c.Uint64(&u.Offset)
	flat.Uint(c, &u.Version)
	c.String(&u.Name)
	c.String(&u.CompDir)
	c.String(&u.Producer)
	flat.Uint(c, &u.Language)
	c.Uint64(&u.lineOffset)
	c.Uint64(&u.strBase)
	flat.Uint(c, &u.addrSize)
	c.Bools(&u.HasLines)
}

func (f *Func) code(c *flat.Coder, i, firstCopy int32) {
	c.Int32(&f.Root, i)
	c.String(&f.Name)
	c.String(&f.LinkageName)
	c.String(&f.Scope)
	c.String(&f.DeclFile)
	c.Int(&f.DeclLine)
	c.Int(&f.DeclCol)
	codeRanges(c, &f.Ranges)
	codeEntry(c, &f.EntryPC, f.Ranges)
	flat.Uint(c, &f.Inline)
	c.Bools(&f.HasEntry, &f.External, &f.Declaration, &f.NoReturn, &f.Artificial)
	f.FirstCopy = firstCopy
	c.Int32(&f.EndCopy, firstCopy)
	flat.Slice(c, &f.Labels, c.Uint64)
}

func (p *Copy) code(c *flat.Coder, i, firstFunc int32) {
	c.Int32(&p.Func, firstFunc)
	child := p.Parent >= 0
	c.Bools(&p.HasEntry, &child)
	if child {
		c.Int32(&p.Parent, i)
	} else {
		p.Parent = -1
	}
	c.Int32(&p.Origin, 0)
	codeRanges(c, &p.Ranges)
	codeEntry(c, &p.EntryPC, p.Ranges)
	c.String(&p.CallFile)
	c.Int(&p.CallLine)
	c.Int(&p.CallCol)
}

func codeRanges(c *flat.Coder, ranges *[]elfbin.Range) {
	last := uint64(0)
	flat.Slice(c, ranges, func(r *elfbin.Range) {
		c.Delta(&r.Low, last)
		size := r.High - r.Low
		c.Uint64(&size)
		r.High = r.Low + size
		if r.High <= r.Low { // Load leaves empty ones out
			c.Fail()
		}
		last = r.High
	})
}

// codeEntry codes an entry address, which nearly always begins the first range.
func codeEntry(c *flat.Coder, entry *uint64, ranges []elfbin.Range) {
	base := uint64(0)
	if len(ranges) > 0 {
		base = ranges[0].Low
	}
	c.Delta(entry, base)
}
