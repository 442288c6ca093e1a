package image

import "testing"

// TestRefusedWord has the instructions as an assembler makes them.
func TestRefusedWord(t *testing.T) {
	for name, c := range map[string]struct {
		word uint32
		want bool
	}{
		"ldxr x0, [x7]":         {0xc85f7ce0, true},
		"stlxr w6, x2, [x7]":    {0xc806fce2, true},
		"casal x7, x2, [x0]":    {0xc8e7fc02, false},
		"ldar x0, [x1]":         {0xc8dffc20, false},
		"prfm pstl1strm, [x7]":  {0xf98000f1, false},
		"prfm pldl1keep, label": {0xd8000000, true},
		"ldr x0, label":         {0x58000000, false},
		"svc #0":                {0xd4000001, true},
		"brk #0x800":            {0xd4210000, true},
		"eret":                  {0xd69f03e0, true},
		"ret":                   {0xd65f03c0, false},
		"msr daifset, #15":      {0xd5034fdf, true},
		"msr tpidr_el0, x0":     {0xd51bd040, true},
		"mrs x0, sp_el0":        {0xd5384100, false},
		"mrs x0, daif":          {0xd53b4220, true},
		"nop":                   {0xd503201f, false},
		"csdb":                  {0xd503229f, true},
		"yield":                 {0xd503203f, true},
		"paciasp":               {0xd503233f, false},
		"autiasp":               {0xd50323bf, true},
		"bti c":                 {0xd503245f, false},
		"dmb ish":               {0xd5033bbf, false},
		"cbnz w6, label":        {0x35ffff86, false},
		"stp x29, x30, [sp]":    {0xa9007bfd, false},
	} {
		if got := refusedWord(c.word); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestInExclusive(t *testing.T) {
	const load, store, swap, add = 0xc85f7ce0, 0xc806fce2, 0xc8e7fc02, 0x91000422
	for name, c := range map[string]struct {
		before []uint32
		want   bool
	}{
		"nothing":                {nil, false},
		"plain":                  {[]uint32{add, add}, false},
		"between load and store": {[]uint32{load, add}, true},
		"behind the store":       {[]uint32{load, add, store, add}, false},
		"behind a swap":          {[]uint32{add, swap, add, add}, true},
		"behind a later store":   {[]uint32{swap, add, store}, false},
	} {
		if got := inExclusive(c.before); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
