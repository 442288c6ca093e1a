package flow_test

import (
	"encoding/hex"
	"testing"

	"github.com/surehook/surehook/flow"
)

func TestHazards(t *testing.T) {
	tests := []struct {
		name, code      string
		misread, locked bool
	}{
		{"vmovdqa store, VEX 7f", "c5fd7f07", true, false},
		{"vpcmpeqb, VEX 74", "c5fd74c1", true, false},
		{"vpxor, VEX ef", "c5fdefc0", false, false},
		{"vpsubsb, VEX e8", "c5fde8c1", true, false},
		{"three-byte VEX 70", "c4e17970c100", true, false},
		{"vmovdqu64 store, EVEX 7f", "62f1fe487f07", true, false},
		{"EVEX ef", "62f1fd48efc0", false, false},
		{"plain jo", "7005", false, false},
		{"plain jmp", "eb05", false, false},
		{"lock inc", "f0ff07", false, true},
		{"fs lock add", "64f00117", false, true},
		{"rep stos", "f3aa", false, false},
		{"cut off", "c5fd", false, false},
		{"nothing", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, err := hex.DecodeString(tt.code)
			if err != nil {
				t.Fatal(err)
			}
			if got := flow.Misread(code); got != tt.misread {
				t.Errorf("Misread = %v, want %v", got, tt.misread)
			}
			if got := flow.Locked(code); got != tt.locked {
				t.Errorf("Locked = %v, want %v", got, tt.locked)
			}
		})
	}
}
