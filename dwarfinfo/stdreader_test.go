package dwarfinfo

import (
	"debug/dwarf"
	"fmt"
	"io"
	"sort"
	"strings"
	"testing"
)

// stdReader collects facts with debug/dwarf.
type stdReader struct {
	t       *testing.T
	d       *dwarf.Data
	entries map[dwarf.Offset]*dwarf.Entry
	facts   facts
}

func readWithStd(t *testing.T, d *dwarf.Data) facts {
	t.Helper()
	s := &stdReader{t: t, d: d, entries: map[dwarf.Offset]*dwarf.Entry{}}
	r := d.Reader()
	var order, parents []*dwarf.Entry
	var stack []*dwarf.Entry
	for {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			break
		}
		if e.Tag == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		if len(stack) == 0 && e.Tag == dwarf.TagTypeUnit { // not read here
			r.SkipChildren()
			continue
		}
		s.entries[e.Offset] = e
		var parent *dwarf.Entry
		for i := len(stack) - 1; i >= 0 && parent == nil; i-- {
			if tag := stack[i].Tag; tag == dwarf.TagSubprogram || tag == dwarf.TagInlinedSubroutine {
				parent = stack[i]
			}
		}
		order, parents = append(order, e), append(parents, parent)
		if e.Tag == dwarf.TagCompileUnit || e.Tag == dwarf.TagPartialUnit {
			s.unit(e)
		}
		if e.Children {
			stack = append(stack, e)
		}
	}
	for i, e := range order {
		s.entry(e, parents, order, i)
	}
	sort.Strings(s.facts.copies)
	return s.facts
}

func (s *stdReader) entry(e *dwarf.Entry, parents, order []*dwarf.Entry, i int) {
	parent := parents[i]
	switch e.Tag {
	case dwarf.TagSubprogram:
		s.facts.funcs = append(s.facts.funcs, fmt.Sprintf("%#x %v %v %s decl %v external %v declaration %v noreturn %v", e.Offset,
			s.text(e, dwarf.AttrName), s.text(e, dwarf.AttrLinkageName), s.ranges(e), s.number(e, dwarf.AttrDeclLine),
			s.flag(e, dwarf.AttrExternal), e.Val(dwarf.AttrDeclaration) == true, s.flag(e, dwarf.AttrNoreturn)))
	case dwarf.TagInlinedSubroutine:
		outer, parentOffset := parent, dwarf.Offset(0)
		if outer.Tag == dwarf.TagInlinedSubroutine {
			parentOffset = outer.Offset
		}
		for outer.Tag == dwarf.TagInlinedSubroutine {
			n := sort.Search(len(order), func(n int) bool { return order[n].Offset >= outer.Offset })
			outer = parents[n]
		}
		entry, has := e.Val(dwarf.AttrEntrypc).(uint64)
		if offset, ok := e.Val(dwarf.AttrEntrypc).(int64); ok {
			low, _ := e.Val(dwarf.AttrLowpc).(uint64)
			if rs, err := s.d.Ranges(e); err == nil && len(rs) > 0 && e.Val(dwarf.AttrRanges) != nil {
				low = rs[0][0]
			}
			entry, has = low+uint64(offset), true
		}
		s.facts.copies = append(s.facts.copies, fmt.Sprintf("%#x of %s in %s parent %#x %s entry %#x %v call %d:%d", e.Offset,
			s.text(e, dwarf.AttrName), s.text(outer, dwarf.AttrName), parentOffset, s.ranges(e), entry, has,
			number(e.Val(dwarf.AttrCallLine)), number(e.Val(dwarf.AttrCallColumn))))
	case dwarf.TagCallSite, dwarf.Tag(tagGNUCallSite):
		pc, _ := e.Val(dwarf.AttrCallReturnPC).(uint64)
		if low, ok := e.Val(dwarf.AttrLowpc).(uint64); ok {
			pc = low
		}
		call, _ := e.Val(dwarf.AttrCallPC).(uint64)
		s.facts.calls = append(s.facts.calls, fmt.Sprintf("%#x %#x %v", pc, call,
			e.Val(dwarf.AttrCallTailCall) == true || e.Val(dwarf.Attr(attrGNUTailCall)) == true))
	}
}

// along calls f for an entry and what its origins lead to.
func (s *stdReader) along(e *dwarf.Entry, f func(*dwarf.Entry) bool) {
	for range 10 {
		if e == nil || f(e) {
			return
		}
		next, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			next, _ = e.Val(dwarf.AttrSpecification).(dwarf.Offset)
		}
		e = s.entries[next]
	}
}

func (s *stdReader) text(e *dwarf.Entry, at dwarf.Attr) (v string) {
	s.along(e, func(e *dwarf.Entry) bool {
		v, _ = e.Val(at).(string)
		if v == "" && at == dwarf.AttrLinkageName {
			v, _ = e.Val(dwarf.Attr(attrMIPSLinkage)).(string)
		}
		return v != ""
	})
	return v
}

func (s *stdReader) number(e *dwarf.Entry, at dwarf.Attr) (v int64) {
	s.along(e, func(e *dwarf.Entry) bool { v = number(e.Val(at)); return v != 0 })
	return v
}

func (s *stdReader) flag(e *dwarf.Entry, at dwarf.Attr) (v bool) {
	s.along(e, func(e *dwarf.Entry) bool { v = e.Val(at) == true; return v })
	return v
}

func number(v any) int64 { n, _ := v.(int64); return n }

func (s *stdReader) ranges(e *dwarf.Entry) string {
	rs, err := s.d.Ranges(e)
	if err != nil {
		s.t.Errorf("ranges of %#x: %v", e.Offset, err)
	}
	var b strings.Builder
	for _, r := range rs {
		if r[0] < r[1] {
			fmt.Fprintf(&b, "[%#x,%#x)", r[0], r[1])
		}
	}
	return b.String()
}

func (s *stdReader) unit(e *dwarf.Entry) {
	r, err := s.d.LineReader(e)
	if err != nil || r == nil {
		return
	}
	var rows []string
	for {
		var l dwarf.LineEntry
		if err := r.Next(&l); err != nil {
			if err != io.EOF {
				s.t.Errorf("lines of unit %#x: %v", e.Offset, err)
			}
			break
		}
		name := ""
		if l.File != nil {
			name = l.File.Name
		}
		rows = append(rows, rowText(l.Address, name, l.Line, l.Column, l.IsStmt, l.EndSequence))
	}
	sort.Strings(rows)
	s.facts.lines = append(s.facts.lines, rows)
}
