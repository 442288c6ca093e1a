package atlas

import (
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/flat"
	"github.com/surehook/surehook/kernel"
)

// Each function here describes a record for both directions.

func codeType(c *flat.Coder, t *kernel.Type) {
	s := string(*t)
	c.String(&s)
	*t = kernel.Type(s)
}

func codeParams(c *flat.Coder, list *[]kernel.Param) {
	flat.Slice(c, list, func(p *kernel.Param) {
		c.String(&p.Name)
		codeType(c, &p.Type)
	})
}

func codeProto(c *flat.Coder, p *kernel.Proto) {
	c.Bools(&p.Variadic)
	codeType(c, &p.Result)
	codeParams(c, &p.Params)
}

// declaration is what the source says of a function's name.
type declaration struct {
	protos []uint32 // numbers of signatures
	files  []string
}

func codeDeclaration(c *flat.Coder, d *declaration) {
	flat.Slice(c, &d.protos, func(id *uint32) { flat.Uint(c, id) })
	flat.Slice(c, &d.files, func(s *string) { c.String(s) })
}

func codeDefinition(c *flat.Coder, d *kernel.Definition) {
	c.String(&d.Name)
	flat.Uint(c, (*uint8)(&d.Kind))
	c.Bools(&d.Signed)
	c.Uint64(&d.Size)
	codeType(c, &d.Target)
	var m kernel.Member // the one before
	flat.Slice(c, &d.Members, func(v *kernel.Member) {
		c.String(&v.Name)
		codeType(c, &v.Type)
		codeOffset(c, v, m.Offset)
		m = *v
	})
	last := uint64(0)
	flat.Slice(c, &d.Values, func(v *kernel.EnumValue) {
		c.String(&v.Name)
		u := uint64(v.Value)
		c.Delta(&u, last+1)
		v.Value, last = int64(u), u
	})
}

// codeOffset codes where a field is after the one before: in bytes, unless it
// begins inside of one.
func codeOffset(c *flat.Coder, m *kernel.Member, before uint64) {
	mode := m.BitSize << 1
	if m.Offset%8 != 0 || before%8 != 0 {
		mode |= 1
	}
	c.Uint64(&mode)
	m.BitSize = mode >> 1
	if mode&1 != 0 {
		c.Delta(&m.Offset, before)
		return
	}
	bytes := m.Offset / 8
	c.Delta(&bytes, before/8)
	if m.Offset = bytes * 8; m.Offset/8 != bytes {
		c.Fail()
	}
}

func codeEvent(c *flat.Coder, e *kernel.Tracepoint) {
	for _, s := range []*string{&e.System, &e.Name, &e.Module, &e.Raw} {
		c.String(s)
	}
	end := uint64(8) // after the common fields
	flat.Slice(c, &e.Fields, func(f *kernel.Field) {
		c.String(&f.Name)
		c.String(&f.Type)
		c.Delta(&f.Offset, end)
		c.Uint64(&f.Size)
		c.Bools(&f.Signed)
		end = f.Offset + f.Size
	})
}

func codePoint(c *flat.Coder, p *kernel.RawTracepoint) {
	c.String(&p.Name)
	c.String(&p.Module)
	codeParams(c, &p.Params)
}

func codeHook(c *flat.Coder, h *kernel.LSMHook) {
	c.String(&h.Name)
	flat.Uint(c, (*uint8)(&h.Attachable))
	codeProto(c, &h.Proto)
}

// codeCond codes what a copy has beside its address.
func codeCond(c *flat.Coder, x *condition) {
	flat.Uint(c, &x.times)
	k := &x.cond
	flat.Uint(c, (*uint8)(&k.Op))
	if k.Op == flow.Always {
		return
	}
	c.Bools(&k.Negate, &k.PCRel)
	for _, v := range []*uint8{&k.Code, &k.Width, &k.Bit, &k.Reg, &k.Index, &k.Scale} {
		flat.Uint(c, v)
	}
	codeInt64(c, &k.Disp)
	codeInt64(c, &k.Delta)
}

func codeInt64(c *flat.Coder, v *int64) {
	u := uint64(*v)
	c.Delta(&u, 0)
	*v = int64(u)
}

// condition is what a hit of a copy means.
type condition struct {
	cond  flow.Cond
	times int
}
