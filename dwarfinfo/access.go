package dwarfinfo

// NumFuncs is len(d.Funcs).
func (d *Data) NumFuncs() int32 { return int32(len(d.Funcs)) }

// Func is &d.Funcs[i]; it must not be changed.
func (d *Data) Func(i int32) *Func { return &d.Funcs[i] }

// Copy is &d.Copies[i]; it must not be changed.
func (d *Data) Copy(i int32) *Copy { return &d.Copies[i] }

// Unit is &d.Units[i]; it must not be changed.
func (d *Data) Unit(i int32) *Unit { return &d.Units[i] }
