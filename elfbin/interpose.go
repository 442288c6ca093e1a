package elfbin

// Interposed gives the names of the functions that a library defines, exports
// and yet asks the dynamic linker for: it calls them, or takes their address,
// through its procedure linkage or global offset table. They go to the first
// definition that the process has, which may be another file's (gABI, "Shared
// Object Dependencies"). Without one: executables, which come first themselves,
// and libraries linked with -Bsymbolic.
func (f *File) Interposed() map[string]bool {
	d := f.dynamic()
	if d.symbolic || d.soname == "" && f.Interp() != "" {
		return nil
	}
	var out map[string]bool
	for _, r := range f.relocs() {
		if r.symbol < 0 {
			continue
		}
		if s := &f.symbols[r.symbol]; s.Func() || s.IFunc() {
			if out == nil {
				out = map[string]bool{}
			}
			out[s.Name] = true
		}
	}
	return out
}
