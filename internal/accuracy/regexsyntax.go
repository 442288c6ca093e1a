package accuracy

// regexSyntaxProgram is the parser of Rust's regular expressions with a
// driver, without Unicode's tables: folding their case takes millions of calls.
// std is not compared: it comes compiled and optimised.
func regexSyntaxProgram() program {
	return program{
		name:   "regex-syntax",
		lang:   langRust,
		builds: rustBuilds(),
		crate:  "regex_syntax",
		hooks:  []string{"regex_syntax::*", "surehook::*"},
		source: source{
			Package: "librust-regex-syntax-dev", Version: "0.6.27", Tarball: "librust-regex-syntax-dev_0.6.27-1_amd64.deb",
			Root:   "usr/share/cargo/registry/regex-syntax-0.6.27",
			SHA256: "16c9879e07d6f9c6b2618906126d17e51ec8b04bced0fe3bb0cf0f3062f8a353",
		},
		patterns: []string{"src/*.rs"},
		generated: func(string) (map[string][]byte, error) {
			driver, err := embedded("rust/main.rs")
			return map[string][]byte{"surehook.rs": driver}, err
		},
		inputs: func() (map[string][]byte, error) {
			text, err := embedded("rust/patterns.txt")
			return map[string][]byte{"patterns.txt": text}, err
		},
		commands: []string{"./regex-syntax patterns.txt"},
	}
}
