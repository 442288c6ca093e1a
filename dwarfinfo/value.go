package dwarfinfo

import (
	"bytes"
	"errors"
	"fmt"
)

// class is what a value means, as far as its form tells (DWARF5 §7.5.5).
type class uint8

const (
	classOther  class = iota // a block or another value nobody asks for
	classAddr                // an address
	classAddrx               // an index into .debug_addr
	classConst               // a constant; in DWARF 2 and 3 also a section offset
	classFlag                //
	classRef                 // an offset in .debug_info
	classSig                 // a type signature
	classAlt                 // an offset in another file
	classString              // an offset in .debug_info, of the text itself
	classStrp                // an offset in .debug_str
	classLine                // an offset in .debug_line_str
	classStrx                // an index into .debug_str_offsets
	classSec                 // a section offset
	classList                // an index into .debug_rnglists' offset table
)

// value is one attribute's value, undecoded as far as it needs the unit.
type value struct {
	u     uint64
	class class
	form  uint16
}

var (
	errIndex  = errors.New("index leads outside its section")
	errClass  = errors.New("attribute has a form of the wrong class")
	errAlt    = errors.New("in the alternate file")
	errNested = errors.New("DW_FORM_indirect names a form that needs an abbreviation")
)

// formError is a form that is not known: the entry's size cannot be told.
type formError uint16

func (e formError) Error() string { return fmt.Sprintf("form %#x is not known", uint16(e)) }

// step moves the cursor over one step of a program.
func (c *cursor) step(o *op, u *unit) {
	switch o.kind {
	case opFixed:
		c.skip(uint64(o.n))
	case opLEB:
		c.skipLEB()
	case opBlock1:
		c.skip(uint64(c.u8()))
	case opBlock2:
		c.skip(uint64(c.u16()))
	case opBlock4:
		c.skip(uint64(c.u32()))
	case opBlock:
		c.skip(c.uleb())
	case opString:
		n := bytes.IndexByte(c.data[c.pos:], 0)
		if n < 0 {
			c.fail(errTruncated)
			return
		}
		c.pos += n + 1
	case opIndirect:
		u.value(c, formIndirect, 0)
	default:
		c.fail(formError(o.form))
	}
}

// value reads an attribute's value.
func (u *unit) value(c *cursor, form uint16, implicit int64) value {
	if form == formIndirect {
		form = narrow(c.uleb())
		if form == formIndirect || form == formImplicitConst {
			c.fail(errNested)
			return value{}
		}
	}
	v := value{form: form}
	switch form {
	case formAddr:
		v.u, v.class = c.uint(u.enc.addrSize), classAddr
	case formAddrx, formGNUAddrIndex:
		v.u, v.class = c.uleb(), classAddrx
	case formAddrx1, formAddrx2, formAddrx3, formAddrx4:
		v.u, v.class = c.uint(uint8(form-formAddrx1)+1), classAddrx
	case formData1:
		v.u, v.class = uint64(c.u8()), classConst
	case formData2:
		v.u, v.class = uint64(c.u16()), classConst
	case formData4:
		v.u, v.class = uint64(c.u32()), classConst
	case formData8:
		v.u, v.class = c.u64(), classConst
	case formUdata:
		v.u, v.class = c.uleb(), classConst
	case formSdata:
		v.u, v.class = uint64(c.sleb()), classConst
	case formImplicitConst:
		v.u, v.class = uint64(implicit), classConst
	case formFlag:
		v.u, v.class = uint64(c.u8()), classFlag
	case formFlagPresent:
		v.u, v.class = 1, classFlag
	case formSecOffset:
		v.u, v.class = c.offset(u.enc.is64), classSec
	case formRnglistx:
		v.u, v.class = c.uleb(), classList
	default:
		return u.pointer(c, form)
	}
	return v
}

// pointer reads the forms that lead elsewhere: to an entry or a string.
func (u *unit) pointer(c *cursor, form uint16) value {
	v := value{form: form}
	switch form {
	case formRef1, formRef2:
		v.u, v.class = c.uint(uint8(form-formRef1)+1)+u.off, classRef
	case formRef4:
		v.u, v.class = uint64(c.u32())+u.off, classRef
	case formRef8:
		v.u, v.class = c.u64()+u.off, classRef
	case formRefUdata:
		v.u, v.class = c.uleb()+u.off, classRef
	case formRefAddr:
		size := u.enc.offsetSize()
		if u.enc.v2 {
			size = u.enc.addrSize
		}
		v.u, v.class = c.uint(size), classRef
	case formRefSig8:
		v.u, v.class = c.u64(), classSig
	case formRefSup4:
		v.u, v.class = uint64(c.u32()), classAlt
	case formRefSup8:
		v.u, v.class = c.u64(), classAlt
	case formGNURefAlt, formGNUStrpAlt, formStrpSup:
		v.u, v.class = c.offset(u.enc.is64), classAlt
	case formString:
		v.u, v.class = uint64(c.base+c.pos), classString
		c.step(&op{kind: opString}, u)
	case formStrp:
		v.u, v.class = c.offset(u.enc.is64), classStrp
	case formLineStrp:
		v.u, v.class = c.offset(u.enc.is64), classLine
	case formStrx, formGNUStrIndex:
		v.u, v.class = c.uleb(), classStrx
	case formStrx1, formStrx2, formStrx3, formStrx4:
		v.u, v.class = c.uint(uint8(form-formStrx1)+1), classStrx
	default:
		o := stepOf(form, u.enc)
		c.step(&o, u)
	}
	return v
}

// text resolves a string value.
func (u *unit) text(v value) (string, error) {
	var from []byte
	off := v.u
	switch v.class {
	case classString:
		return u.inline(off)
	case classStrp:
		from = u.secs.str
	case classLine:
		from = u.secs.lineStr
	case classStrx:
		size := u.enc.offsetSize()
		var err error
		if off, err = entry(u.secs.strOffsets, u.strBase, v.u, size); err != nil {
			return "", &FormatError{".debug_str_offsets", u.strBase, err}
		}
		from = u.secs.str
	case classAlt:
		if u.secs.alt == nil {
			return "", errAlt
		}
		from = u.secs.alt.str
	default:
		return "", errClass
	}
	s, _, err := stringAt(from, off)
	return s, err
}

// address resolves an address value.
func (u *unit) address(v value) (uint64, error) {
	switch v.class {
	case classAddr:
		return v.u, nil
	case classAddrx:
		a, err := entry(u.secs.addr, u.addrBase, v.u, u.enc.addrSize)
		if err != nil {
			return 0, &FormatError{".debug_addr", u.addrBase, err}
		}
		return a, nil
	}
	return 0, errClass
}

// entry reads entry i of a table of numbers that begins at base.
func entry(data []byte, base, i uint64, size uint8) (uint64, error) {
	if i > uint64(len(data)) || base > uint64(len(data)) {
		return 0, errIndex
	}
	at := base + i*uint64(size)
	if at+uint64(size) > uint64(len(data)) {
		return 0, errIndex
	}
	c := cursor{data: data, pos: int(at)}
	return c.uint(size), nil
}

// position resolves a value that is an offset in a list or line section.
func (v value) position() (uint64, bool) {
	return v.u, v.class == classSec || v.class == classConst && (v.form == formData4 || v.form == formData8)
}

// number is a small unsigned constant such as a line; 0 when it is none.
func (v value) number() int {
	const max = 1<<31 - 1
	if v.class != classConst || v.u > max {
		return 0
	}
	return int(v.u)
}
