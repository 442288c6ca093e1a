package sites

import "testing"

func TestVariantsOf(t *testing.T) {
	tests := []struct {
		a, b string
		ok   bool
		from byte
		to   byte
	}{
		{"_ZN4LeftD1Ev", "_ZN4LeftD2Ev", true, '1', '2'},
		{"_ZN4LeftD0Ev", "_ZN4LeftD1Ev", true, '0', '1'},
		{"_ZN4BothC1Ei", "_ZN4BothC2Ei", true, '1', '2'},
		{"_ZN4BothC1IiEET_", "_ZN4BothC2IiEET_", true, '1', '2'},
		{"_ZN4LeftC0Ev", "_ZN4LeftC1Ev", false, 0, 0},
		{"_ZN2F13runEv", "_ZN2F23runEv", false, 0, 0},
		{"_ZN4LeftD1Ev", "_ZN4LeftD1Ev", false, 0, 0},
		{"_ZN4LeftD1Ev", "_ZN5RightD2Ev", false, 0, 0},
		{"_ZN3D1aEv", "_ZN3D2bEv", false, 0, 0},
		{"", "", false, 0, 0},
		{"1", "2", false, 0, 0},
	}
	for _, tt := range tests {
		from, to, ok := variantsOf(tt.a, tt.b)
		if ok != tt.ok || ok && (from.digit != tt.from || to.digit != tt.to) {
			t.Errorf("%s and %s: %v %v %v", tt.a, tt.b, from, to, ok)
		}
	}
}
