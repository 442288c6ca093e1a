package kernel

import "slices"

// Type is a C type as text, in prefix notation: it reads from left to right
// and two types are equal if their texts are.
//
//	*T  pointer    cT  const    vT  volatile    rT  restrict    [16]T  array
//	(T,T)R         function of these parameters with result R; (T,.)R with more
//	i:unsigned int integer      f:double floating point number
//	s:page struct  u:NAME union e:NAME enum     t:pid_t typedef
//	0              void
//	{s16;a@0=T;b@64:3=T;}       unnamed struct of 16 bytes: fields at bit offsets,
//	                            b of 3 bits; {u8;...} a union
//	{e4;A=1;B=-2;}              unnamed enum of 4 bytes
type Type string

// Definition is a struct, union, enum or typedef.
type Definition struct {
	Kind    DefKind
	Name    string // empty for one without a name
	Size    uint64 // in bytes; of an enum too
	Members []Member
	Values  []EnumValue // of an enum
	Target  Type        // of a typedef
	Signed  bool        // of an enum
}

// DefKind is the kind of a definition.
type DefKind uint8

// The kinds.
const (
	Struct DefKind = iota
	Union
	Enum
	Typedef
)

// Member is a field.
type Member struct {
	Name    string // empty for an unnamed struct or union
	Type    Type
	Offset  uint64 // in bits from the beginning
	BitSize uint64 // of a bit field; else 0
}

// EnumValue is one name of an enum.
type EnumValue struct {
	Name  string
	Value int64 // as the enum's signedness reads it
}

// Param is a parameter of a function.
type Param struct {
	Name string // empty if not recorded
	Type Type
}

// Proto is a signature.
type Proto struct {
	Params   []Param
	Result   Type
	Variadic bool
}

// Equal tells whether two signatures are the same, names of parameters too.
func (p Proto) Equal(q Proto) bool {
	return p.Result == q.Result && p.Variadic == q.Variadic && slices.Equal(p.Params, q.Params)
}
