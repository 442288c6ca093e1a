package dwarfinfo

// attrs calls f for each attribute the entry's action wants.
func (w *walker) attrs(a *abbrev, f func(attr uint16, v value)) bool {
	for i := range a.read {
		o := &a.read[i]
		if o.kind != opAttr {
			w.c.step(o, w.u)
			continue
		}
		v := w.u.value(&w.c, o.form, o.n)
		if w.c.err != nil {
			return false
		}
		f(o.attr, v)
	}
	return w.c.err == nil
}

// subprogram reads a DW_TAG_subprogram and returns its index.
func (w *walker) subprogram(a *abbrev) int32 {
	u := w.u
	fn := Func{Offset: w.at, Unit: u.index}
	src := funcSource{origin: noRef, scope: w.now.scope}
	spec := noRef
	ok := w.attrs(a, func(attr uint16, v value) {
		switch attr {
		case attrName:
			fn.Name = u.string(w.at, v, "name of a function")
		case attrLinkageName, attrMIPSLinkage:
			fn.LinkageName = u.string(w.at, v, "linkage name of a function")
		case attrAbstractOrigin:
			src.origin = u.ref(w.at, v, "abstract origin of a function")
		case attrSpecification:
			spec = u.ref(w.at, v, "specification of a function")
		case attrInline:
			fn.Inline = uint8(v.u)
		case attrExternal:
			fn.External = v.u != 0
		case attrDeclaration:
			fn.Declaration = v.u != 0
		case attrNoreturn:
			fn.NoReturn = v.u != 0
		case attrArtificial:
			fn.Artificial = v.u != 0
		case attrDeclFile:
			fn.DeclFile = w.paths.file(w.at, v)
		case attrDeclLine:
			fn.DeclLine = v.number()
		case attrDeclColumn:
			fn.DeclCol = v.number()
		default:
			w.span(&src.span, attr, v)
		}
	})
	if !ok {
		return -1
	}
	if src.origin == noRef {
		src.origin = spec
	}
	u.funcs = append(u.funcs, fn)
	u.funcSrc = append(u.funcSrc, src)
	return int32(len(u.funcs) - 1)
}

// inlined reads a DW_TAG_inlined_subroutine and returns its index.
func (w *walker) inlined(a *abbrev) int32 {
	u := w.u
	cp := Copy{Offset: w.at, Unit: u.index, Func: w.now.fn, Parent: w.now.copy}
	src := copySource{origin: noRef}
	ok := w.attrs(a, func(attr uint16, v value) {
		switch attr {
		case attrAbstractOrigin:
			src.origin = u.ref(w.at, v, "abstract origin of an inlined copy")
		case attrCallFile:
			cp.CallFile = w.paths.file(w.at, v)
		case attrCallLine:
			cp.CallLine = v.number()
		case attrCallColumn:
			cp.CallCol = v.number()
		default:
			w.span(&src.span, attr, v)
		}
	})
	if !ok {
		return w.now.copy
	}
	if cp.Func < 0 {
		u.gapSet.add(GapBadUnit, w.at, "an inlined copy lies in no function")
		return -1
	}
	u.copies = append(u.copies, cp)
	u.copySrc = append(u.copySrc, src)
	return int32(len(u.copies) - 1)
}

// span takes the attributes that say where code lies (DWARF5 §2.17, §2.18).
func (w *walker) span(s *span, attr uint16, v value) {
	u := w.u
	switch attr {
	case attrLowPC:
		if a, ok := u.addr(w.at, v, "low_pc"); ok {
			s.low, s.has = a, s.has|hasLow
		}
	case attrHighPC:
		if v.class == classConst {
			s.high, s.has = v.u, s.has|hasHigh|highRelative
		} else if a, ok := u.addr(w.at, v, "high_pc"); ok {
			s.high, s.has = a, s.has|hasHigh
		}
	case attrEntryPC:
		if v.class == classConst {
			s.entry, s.has = v.u, s.has|hasEntry|entryRelative
		} else if a, ok := u.addr(w.at, v, "entry_pc"); ok {
			s.entry, s.has = a, s.has|hasEntry
		}
	case attrRanges:
		if pos, ok := v.position(); ok {
			if u.secs.split && u.version < 5 {
				pos += u.rangeBase
			}
			s.list, s.has = pos, s.has|hasList
		} else if v.class == classList {
			pos, err := entry(u.secs.rnglists, u.listBase, v.u, u.enc.offsetSize())
			if err != nil {
				u.gapSet.add(GapBadUnit, w.at, "ranges: "+err.Error())
				return
			}
			s.list, s.has = u.listBase+pos, s.has|hasList
		} else {
			u.gapSet.add(GapBadUnit, w.at, "ranges: "+errClass.Error())
		}
	}
}

// call reads a call site (DWARF5 §3.4.1; the GNU form precedes it).
func (w *walker) call(a *abbrev) {
	u := w.u
	call := Call{Func: w.now.fn, Copy: w.now.copy}
	callee := noRef
	ok := w.attrs(a, func(attr uint16, v value) {
		switch attr {
		case attrCallReturnPC, attrLowPC:
			call.PC, _ = u.addr(w.at, v, "return address of a call")
		case attrCallPC:
			call.CallPC, _ = u.addr(w.at, v, "address of a call")
		case attrCallOrigin, attrAbstractOrigin:
			callee = u.ref(w.at, v, "callee of a call")
		case attrCallTailCall, attrGNUTailCall:
			call.Tail = v.u != 0
		}
	})
	if !ok || call.Func < 0 {
		return
	}
	u.calls = append(u.calls, call)
	u.callSrc = append(u.callSrc, callee)
}

// label notes where a label that has code lies: computed gotos lead there.
func (w *walker) label(a *abbrev) {
	w.attrs(a, func(_ uint16, v value) {
		if addr, ok := w.u.addr(w.at, v, "address of a label"); ok && w.now.fn >= 0 {
			w.labels = append(w.labels, label{w.now.fn, addr})
		}
	})
}
