package dwarftest

// Form is how an attribute's value is written (DWARF5 §7.5.6).
type Form uint16

// The forms. debug/dwarf has them too, but not exported.
const (
	Addr          Form = 0x01
	Block2        Form = 0x03
	Block4        Form = 0x04
	Data2         Form = 0x05
	Data4         Form = 0x06
	Data8         Form = 0x07
	String        Form = 0x08
	Block         Form = 0x09
	Block1        Form = 0x0a
	Data1         Form = 0x0b
	Flag          Form = 0x0c
	Sdata         Form = 0x0d
	Strp          Form = 0x0e
	Udata         Form = 0x0f
	RefAddr       Form = 0x10
	Ref1          Form = 0x11
	Ref2          Form = 0x12
	Ref4          Form = 0x13
	Ref8          Form = 0x14
	RefUdata      Form = 0x15
	Indirect      Form = 0x16
	SecOffset     Form = 0x17
	Exprloc       Form = 0x18
	FlagPresent   Form = 0x19
	Strx          Form = 0x1a
	Addrx         Form = 0x1b
	RefSup4       Form = 0x1c
	StrpSup       Form = 0x1d
	Data16        Form = 0x1e
	LineStrp      Form = 0x1f
	RefSig8       Form = 0x20
	ImplicitConst Form = 0x21
	Loclistx      Form = 0x22
	Rnglistx      Form = 0x23
	RefSup8       Form = 0x24
	Strx1         Form = 0x25
	Strx2         Form = 0x26
	Strx3         Form = 0x27
	Strx4         Form = 0x28
	Addrx1        Form = 0x29
	Addrx2        Form = 0x2a
	Addrx3        Form = 0x2b
	Addrx4        Form = 0x2c
	GNUAddrIndex  Form = 0x1f01
	GNUStrIndex   Form = 0x1f02
	GNURefAlt     Form = 0x1f20
	GNUStrpAlt    Form = 0x1f21
)

// size is a form's fixed size in bytes; 0 when it has none.
func (f Form) size(u *Unit) int {
	switch f {
	case Data1, Flag, Ref1, Strx1, Addrx1:
		return 1
	case Data2, Ref2, Strx2, Addrx2:
		return 2
	case Strx3, Addrx3:
		return 3
	case Data4, Ref4, RefSup4, Strx4, Addrx4:
		return 4
	case Data8, Ref8, RefSig8, RefSup8:
		return 8
	case Data16:
		return 16
	case Addr:
		return int(u.addrSize())
	case RefAddr:
		if u.Version == 2 {
			return int(u.addrSize())
		}
		return u.offsetSize()
	case Strp, LineStrp, SecOffset, StrpSup, GNURefAlt, GNUStrpAlt:
		return u.offsetSize()
	}
	return 0
}
