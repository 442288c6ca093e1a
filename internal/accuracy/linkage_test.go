package accuracy

import "testing"

func TestFamily(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"_ZN3FooC1Ev", "_ZN3FooC2Ev"},
		{"_ZN3FooC4ERKS_", "_ZN3FooC2ERKS_"},
		{"_ZN3FooD0Ev", "_ZN3FooD2Ev"},
		{"_ZN3Foo3barEi", "_ZN3Foo3barEi"},
		{"_ZN4core3ptr4read17h0123456789abcdefE", "_ZN4core3ptr4readE"},
	} {
		if got := family(test.in); got != test.want {
			t.Errorf("%s: got %s, want %s", test.in, got, test.want)
		}
	}
	if !deleting("_ZN3FooD0Ev") || deleting("_ZN3FooD2Ev") || deleting("D0Ev") {
		t.Error("deleting destructors")
	}
}

func TestFunctionOf(t *testing.T) {
	for _, test := range []struct {
		name, linkage, file string
		want                function
	}{
		{"ns::A::f", "_ZN2ns1A1fEv", "/x/a.h", function{"_ZN2ns1A1fEv", ""}},
		{"(anonymous namespace)::A<b::c>::f", "", "/x/a.cc", function{"f", "a.cc"}},
		{"A::operator()", "", "a.cc", function{"operator()", "a.cc"}},
		{"f", "f.lto_priv.0", "f.c", function{"f", "f.c"}},
	} {
		if got := functionOf(test.name, test.linkage, test.file); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}
