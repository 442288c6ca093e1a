package sites

import "strings"

// cloneSuffix is what the compiler hung on a symbol.
type cloneSuffix struct {
	text  string // ".constprop.0.part.0"
	clone bool   // another body of the same function
	part  bool   // the outlined tail of a partially inlined function
	cold  bool   // the unlikely part of a body, never an entry
}

// cloneWord is a word that GCC or LLVM puts behind a function's name.
type cloneWord struct {
	numbered, bare bool // with a number behind it, without
	clone          bool // another body besides; the others rename the only one
}

// cloneWords are the words; other dots belong to names (Go, Rust, labels).
var cloneWords = map[string]cloneWord{
	"isra":        {numbered: true, clone: true},
	"constprop":   {numbered: true, clone: true},
	"part":        {numbered: true, clone: true},
	"cold":        {numbered: true, bare: true},
	"lto_priv":    {numbered: true},
	"localalias":  {numbered: true, bare: true},
	"llvm":        {numbered: true}, // ThinLTO: a local function that was promoted
	"__uniq":      {numbered: true}, // clang -funique-internal-linkage-names
	"specialized": {numbered: true, clone: true},
	"clone":       {numbered: true, clone: true},
	"simdclone":   {numbered: true},
	"memprof":     {numbered: true, clone: true}, // LLVM: cloned for a calling context
	"argprom":     {numbered: true, bare: true, clone: true},
	"argelim":     {numbered: true, bare: true, clone: true},
	"retelim":     {numbered: true, bare: true, clone: true},
	"resolver":    {bare: true},
	"ifunc":       {bare: true},
}

// splitClone takes the compiler's suffixes off a symbol name.
func splitClone(name string) (base string, s cloneSuffix) {
	base = name
	for {
		rest, word := lastSuffix(base)
		if word == "" {
			break
		}
		base = rest
		s.clone = s.clone || cloneWords[word].clone
		s.part = s.part || word == "part"
		s.cold = s.cold || word == "cold"
	}
	s.text = name[len(base):]
	return base, s
}

// lastSuffix takes one suffix off a name; word is empty if there is none. A
// name never begins with its suffix.
func lastSuffix(name string) (rest, word string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 {
		return name, ""
	}
	if last := name[i+1:]; !digits(last) {
		if !cloneWords[last].bare {
			return name, ""
		}
		return name[:i], last
	}
	k := strings.LastIndexByte(name[:i], '.')
	if k <= 0 || !cloneWords[name[k+1:i]].numbered {
		return name, ""
	}
	return name[:k], name[k+1 : i]
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// renamed tells whether a symbol is that of a function's one body under another
// name: promoted by ThinLTO, made unique by LTO, or Go's for assembly.
func renamed(name string) bool {
	_, s := splitClone(name)
	return s.text != "" || strings.HasSuffix(name, ".abi0")
}

// renamedTo gives the symbol of a body that was renamed, "" if none was.
func (f *function) renamedTo() string {
	for _, r := range f.bodies {
		if r.named && !r.clone && !r.wrapper && renamed(r.sym.Name) {
			return r.sym.Name
		}
	}
	return ""
}

// SymbolName takes the compiler's suffixes off a symbol: "f.isra.0.cold" is
// of f. clone, part and cold say what the suffixes mean; several may hold, and
// cold wins over part, part over clone.
func SymbolName(symbol string) (function string, clone, part, cold bool) {
	function, s := splitClone(symbol)
	return function, s.clone, s.part, s.cold
}
