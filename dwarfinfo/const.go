package dwarfinfo

// The tags, attributes and forms that are looked at (DWARF5 §7.5.3 to §7.5.6;
// the GNU ones are in binutils' dwarf2.def). Types in uint16: larger numbers
// are read and skipped, never matched.
const (
	tagArrayType       = 0x01
	tagClassType       = 0x02
	tagEnumerationType = 0x04
	tagFormalParameter = 0x05
	tagLabel           = 0x0a
	tagStructureType   = 0x13
	tagSubroutineType  = 0x15
	tagUnionType       = 0x17
	tagInlined         = 0x1d
	tagModule          = 0x1e
	tagSubprogram      = 0x2e
	tagInterfaceType   = 0x38
	tagNamespace       = 0x39
	tagTypeUnit        = 0x41
	tagCallSite        = 0x48
	tagGNUCallSite     = 0x4109
)

const (
	attrSibling        = 0x01
	attrLocation       = 0x02
	attrName           = 0x03
	attrStmtList       = 0x10
	attrLowPC          = 0x11
	attrHighPC         = 0x12
	attrLanguage       = 0x13
	attrCompDir        = 0x1b
	attrInline         = 0x20
	attrProducer       = 0x25
	attrConstValue     = 0x1c
	attrAbstractOrigin = 0x31
	attrArtificial     = 0x34
	attrDeclColumn     = 0x39
	attrDeclFile       = 0x3a
	attrDeclLine       = 0x3b
	attrDeclaration    = 0x3c
	attrExternal       = 0x3f
	attrSpecification  = 0x47
	attrEntryPC        = 0x52
	attrExtension      = 0x54
	attrRanges         = 0x55
	attrCallColumn     = 0x57
	attrCallFile       = 0x58
	attrCallLine       = 0x59
	attrSignature      = 0x69
	attrLinkageName    = 0x6e
	attrStrOffsetsBase = 0x72
	attrAddrBase       = 0x73
	attrRnglistsBase   = 0x74
	attrDwoName        = 0x76
	attrCallReturnPC   = 0x7d
	attrCallOrigin     = 0x7f
	attrCallPC         = 0x81
	attrCallTailCall   = 0x82
	attrNoreturn       = 0x87
	attrMIPSLinkage    = 0x2007
	attrGNUTailCall    = 0x2115
	attrGNUDwoName     = 0x2130
	attrGNUDwoID       = 0x2131
	attrGNURangesBase  = 0x2132
	attrGNUAddrBase    = 0x2133
)

const (
	formAddr          = 0x01
	formBlock2        = 0x03
	formBlock4        = 0x04
	formData2         = 0x05
	formData4         = 0x06
	formData8         = 0x07
	formString        = 0x08
	formBlock         = 0x09
	formBlock1        = 0x0a
	formData1         = 0x0b
	formFlag          = 0x0c
	formSdata         = 0x0d
	formStrp          = 0x0e
	formUdata         = 0x0f
	formRefAddr       = 0x10
	formRef1          = 0x11
	formRef2          = 0x12
	formRef4          = 0x13
	formRef8          = 0x14
	formRefUdata      = 0x15
	formIndirect      = 0x16
	formSecOffset     = 0x17
	formExprloc       = 0x18
	formFlagPresent   = 0x19
	formStrx          = 0x1a
	formAddrx         = 0x1b
	formRefSup4       = 0x1c
	formStrpSup       = 0x1d
	formData16        = 0x1e
	formLineStrp      = 0x1f
	formRefSig8       = 0x20
	formImplicitConst = 0x21
	formLoclistx      = 0x22
	formRnglistx      = 0x23
	formRefSup8       = 0x24
	formStrx1         = 0x25
	formStrx2         = 0x26
	formStrx3         = 0x27
	formStrx4         = 0x28
	formAddrx1        = 0x29
	formAddrx2        = 0x2a
	formAddrx3        = 0x2b
	formAddrx4        = 0x2c
	formGNUAddrIndex  = 0x1f01
	formGNUStrIndex   = 0x1f02
	formGNURefAlt     = 0x1f20
	formGNUStrpAlt    = 0x1f21
)

// Unit types (DWARF5 §7.5.1).
const (
	unitType         = 0x02
	unitSkeleton     = 0x04
	unitSplitCompile = 0x05
	unitSplitType    = 0x06
)
