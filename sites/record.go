package sites

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/flat"
)

// code codes a function of an index. A field that is added to the types goes
// here too (TestEveryFieldIsStored).
func (f *function) code(c *flat.Coder) {
	c.String(&f.name)
	c.String(&f.linkage)
	c.String(&f.declFile)
	c.Int(&f.declLine)
	c.Bools(&f.defined)
	flat.Slice(c, &f.decls, func(p *place) {
		c.String(&p.file)
		c.Int(&p.line)
		c.Int(&p.col)
	})
	codeIndices(c, &f.roots)
	flat.Slice(c, &f.bodies, func(r *bodyRef) { r.code(c) })
	codeIndices(c, &f.copies)
	flat.Slice(c, &f.parts, func(s *elfbin.Symbol) { codeSymbol(c, s) })
	flat.Slice(c, &f.colds, func(s *elfbin.Symbol) { codeSymbol(c, s) })
	flat.Slice(c, &f.names, c.String)
}

func (r *bodyRef) code(c *flat.Coder) {
	c.Int32(&r.die, 0)
	c.Uint64(&r.entry)
	c.Bools(&r.named, &r.clone, &r.part, &r.wrapper)
	if r.named {
		codeSymbol(c, &r.sym)
	}
}

func codeIndices(c *flat.Coder, s *[]int32) {
	last := int32(0)
	flat.Slice(c, s, func(i *int32) {
		c.Int32(i, last)
		last = *i
	})
}

func codeSymbol(c *flat.Coder, s *elfbin.Symbol) {
	c.String(&s.Name)
	c.String(&s.Version)
	c.Bools(&s.Hidden)
	c.Uint64(&s.Value)
	c.Uint64(&s.Size)
	flat.Uint(c, &s.Type)
	flat.Uint(c, &s.Bind)
	flat.Uint(c, &s.Section)
	flat.Uint(c, &s.Table)
}

// storedHead is what is stored of an index besides its functions.
type storedHead struct {
	gaps    []Reason
	outside bool // of strangers, as the next
	folded  []foldedName
	jumps   []foldedJump
}

// foldedJump is an address with the functions of which a jump to it is left.
type foldedJump struct {
	addr  uint64
	names []string
}

type foldedName struct {
	number int32
	name   string
}

func (h *storedHead) code(c *flat.Coder) {
	flat.Slice(c, &h.gaps, func(r *Reason) {
		code := string(r.Code)
		c.String(&code)
		r.Code = ReasonCode(code)
		c.String(&r.Text)
	})
	c.Bools(&h.outside)
	flat.Slice(c, &h.folded, func(f *foldedName) {
		c.Int32(&f.number, 0)
		c.String(&f.name)
	})
	flat.Slice(c, &h.jumps, func(j *foldedJump) {
		c.Uint64(&j.addr)
		flat.Slice(c, &j.names, c.String)
	})
}

// spellings are all names that a hook may mean the function by.
func (f *function) spellings() []string {
	return append([]string{f.name, f.linkage}, f.names...)
}

func hashName(name string) uint32 {
	const offset, prime = 2166136261, 16777619 // FNV-1a
	h := uint32(offset)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * prime
	}
	return h
}
