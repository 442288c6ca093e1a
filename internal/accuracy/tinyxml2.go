package accuracy

// tinyxml2Program is a library in C++ (virtual functions, templates, pools)
// with a driver.
func tinyxml2Program() program {
	return program{
		name:   "tinyxml2",
		lang:   langCXX,
		builds: append(builds(), clangLTO()[1]),
		source: source{
			Package: "tinyxml2", Version: "9.0.0+dfsg", Tarball: "tinyxml2_9.0.0+dfsg.orig.tar.xz", Root: "tinyxml2-9.0.0",
			SHA256: "96510f47a5db537f70dff3e83dd71fd2180cbba4aa76c589a549467e7f34bc9b",
		},
		patterns: []string{"tinyxml2.cpp", "surehook.cc"},
		generated: func(string) (map[string][]byte, error) {
			driver, err := embedded("cxx/tinyxml2.cc")
			return map[string][]byte{"surehook.cc": driver}, err
		},
		flags:    []string{"-I$SRC"},
		inputs:   tinyxml2Inputs,
		commands: []string{"./tinyxml2 a.xml b.xml a.xml bad.xml none.xml"},
	}
}

func tinyxml2Inputs() (map[string][]byte, error) {
	a, err := embedded("cxx/a.xml")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"a.xml":   a,
		"b.xml":   []byte("\xef\xbb\xbf<r n='2'><c n=\"3\"/><c>x</c></r>"),
		"bad.xml": []byte("<r><c></r>"),
	}, nil
}
