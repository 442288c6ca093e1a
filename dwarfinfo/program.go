package dwarfinfo

import "slices"

// action is what the walk does with an entry.
type action uint8

const (
	actThrough action = iota // step over the attributes, look at the children
	actSkip                  // step over the attributes and the children
	actType                  // a scope where types can hold functions, else actSkip
	actScope                 // namespace or module
	actFunc
	actCopy
	actCall
	actLabel
	actParam // of ParamReader; the walk looks at its children
	actUnit
)

// actionOf tells what a tag is for. Unknown tags are walked through: a
// producer's own block tag must not hide functions.
func actionOf(tag uint16) action {
	switch tag {
	case tagSubprogram:
		return actFunc
	case tagInlined:
		return actCopy
	case tagCallSite, tagGNUCallSite:
		return actCall
	case tagLabel:
		return actLabel
	case tagFormalParameter:
		return actParam
	case tagNamespace, tagModule:
		return actScope
	case tagStructureType, tagClassType, tagUnionType, tagInterfaceType, tagEnumerationType:
		return actType // rustc puts methods into enumeration types too
	case tagArrayType, tagSubroutineType:
		return actSkip
	case 0x11, 0x3c, 0x4a, tagTypeUnit: // compile, partial, skeleton unit
		return actUnit
	}
	return actThrough
}

// wanted tells whether an action reads an attribute.
func wanted(a action, attr uint16) bool {
	switch a {
	case actFunc:
		switch attr {
		case attrName, attrLinkageName, attrMIPSLinkage, attrAbstractOrigin, attrSpecification,
			attrLowPC, attrHighPC, attrRanges, attrEntryPC, attrInline, attrExternal,
			attrDeclaration, attrNoreturn, attrArtificial, attrDeclFile, attrDeclLine, attrDeclColumn:
			return true
		}
	case actCopy:
		switch attr {
		case attrAbstractOrigin, attrLowPC, attrHighPC, attrRanges, attrEntryPC,
			attrCallFile, attrCallLine, attrCallColumn:
			return true
		}
	case actCall:
		switch attr {
		case attrCallReturnPC, attrLowPC, attrCallPC, attrCallOrigin, attrAbstractOrigin,
			attrCallTailCall, attrGNUTailCall:
			return true
		}
	case actLabel:
		return attr == attrLowPC
	case actParam:
		return attr == attrName || attr == attrAbstractOrigin || attr == attrLocation || attr == attrConstValue
	case actScope, actType:
		switch attr {
		case attrName, attrSpecification, attrExtension, attrDeclaration, attrSignature:
			return true
		}
	case actUnit:
		switch attr {
		case attrName, attrCompDir, attrProducer, attrLanguage, attrStmtList, attrLowPC,
			attrStrOffsetsBase, attrAddrBase, attrGNUAddrBase, attrRnglistsBase,
			attrDwoName, attrGNUDwoName, attrGNUDwoID, attrGNURangesBase:
			return true
		}
	}
	return false
}

// opKind is how one step of a program moves the cursor.
type opKind uint8

const (
	opFixed    opKind = iota // n bytes
	opLEB                    // one LEB128 number
	opBlock1                 // a 1-byte length and as many bytes
	opBlock2                 // 2-byte length
	opBlock4                 // 4-byte length
	opBlock                  // LEB128 length
	opString                 // up to a NUL
	opIndirect               // the form is in the data
	opAttr                   // stop: decode the attribute
	opUnknown                // the form is not known, the entry's size neither
)

// op is one step. Neighbouring fixed sizes are one step: most entries are
// stepped over with a single addition.
type op struct {
	kind       opKind
	attr, form uint16
	n          int64 // opFixed: bytes; opAttr: DW_FORM_implicit_const's value
}

// compiler turns abbreviations into programs. Those of a table share memory:
// a kernel has 300,000.
type compiler struct {
	ops        []op // of the programs made
	specs      []spec
	skip, read []op // being made
}

// compile turns an abbreviation into programs.
func (p *compiler) compile(tag uint16, children bool, specs []spec, enc encoding) abbrev {
	a := abbrev{act: actionOf(tag), children: children, fixed: -1}
	skip, read := p.skip[:0], p.read[:0]
	reads := false
	for _, s := range specs {
		if wanted(a.act, s.attr) || a.act == actType && placed(s.attr) && unnamed(specs) {
			read = append(read, op{kind: opAttr, attr: s.attr, form: s.form, n: s.implicit})
			reads = true
		} else {
			read = appendStep(read, s.form, enc)
		}
		if s.attr == attrSibling && children && a.sibForm == 0 && s.form != formIndirect {
			a.sibForm = s.form
			a.toSib = p.keep(skip)
		}
		skip = appendStep(skip, s.form, enc)
	}
	p.skip, p.read = skip, read
	a.skip = p.keep(skip)
	a.read = a.skip
	if reads {
		a.read = p.keep(read)
	}
	switch {
	case len(a.skip) == 0:
		a.fixed = 0
	case len(a.skip) == 1 && a.skip[0].kind == opFixed && a.skip[0].n < 1<<20:
		a.fixed = int32(a.skip[0].n)
	}
	return a
}

// placed tells whether an attribute says where something is declared.
func placed(attr uint16) bool {
	return attr == attrDeclFile || attr == attrDeclLine || attr == attrDeclColumn
}

// unnamed tells whether entries of an abbreviation have no name.
func unnamed(specs []spec) bool {
	for _, s := range specs {
		if s.attr == attrName {
			return false
		}
	}
	return true
}

// keep copies a finished program to the others.
func (p *compiler) keep(program []op) []op {
	at := len(p.ops)
	p.ops = append(p.ops, program...)
	return p.ops[at:len(p.ops):len(p.ops)]
}

// own gives a copy that shares no memory with the table.
func (a *abbrev) own() *abbrev {
	if a == nil {
		return nil
	}
	b := *a
	b.skip, b.read, b.toSib = slices.Clone(a.skip), slices.Clone(a.read), slices.Clone(a.toSib)
	return &b
}

func appendStep(ops []op, form uint16, enc encoding) []op {
	o := stepOf(form, enc)
	if o.kind == opFixed {
		if o.n == 0 {
			return ops
		}
		if last := len(ops) - 1; last >= 0 && ops[last].kind == opFixed {
			ops[last].n += o.n
			return ops
		}
	}
	return append(ops, o)
}

// stepOf says how large a form is (DWARF5 §7.5.6).
func stepOf(form uint16, enc encoding) op {
	fixed := func(n uint8) op { return op{kind: opFixed, n: int64(n)} }
	switch form {
	case formFlagPresent, formImplicitConst:
		return fixed(0)
	case formData1, formFlag, formRef1, formStrx1, formAddrx1:
		return fixed(1)
	case formData2, formRef2, formStrx2, formAddrx2:
		return fixed(2)
	case formStrx3, formAddrx3:
		return fixed(3)
	case formData4, formRef4, formRefSup4, formStrx4, formAddrx4:
		return fixed(4)
	case formData8, formRef8, formRefSig8, formRefSup8:
		return fixed(8)
	case formData16:
		return fixed(16)
	case formAddr:
		return fixed(enc.addrSize)
	case formRefAddr:
		if enc.v2 {
			return fixed(enc.addrSize)
		}
		return fixed(enc.offsetSize())
	case formStrp, formLineStrp, formSecOffset, formStrpSup, formGNURefAlt, formGNUStrpAlt:
		return fixed(enc.offsetSize())
	case formSdata, formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx,
		formGNUAddrIndex, formGNUStrIndex:
		return op{kind: opLEB}
	case formBlock1:
		return op{kind: opBlock1}
	case formBlock2:
		return op{kind: opBlock2}
	case formBlock4:
		return op{kind: opBlock4}
	case formBlock, formExprloc:
		return op{kind: opBlock}
	case formString:
		return op{kind: opString}
	case formIndirect:
		return op{kind: opIndirect}
	}
	return op{kind: opUnknown, form: form}
}
