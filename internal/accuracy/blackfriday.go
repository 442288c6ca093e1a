package accuracy

// blackfridayProgram is a Markdown library in Go with a driver.
func blackfridayProgram() program {
	const module = "github.com/russross/blackfriday/v2"
	return program{
		name:    "blackfriday",
		lang:    langGo,
		builds:  goBuilds(),
		modules: []string{module + ".", "main."},
		hooks:   []string{module + ".*", "main.*"},
		source: source{
			Package: "golang-blackfriday-v2", Version: "2.1.0", Tarball: "golang-blackfriday-v2_2.1.0.orig.tar.gz", Root: "blackfriday-2.1.0",
			SHA256: "a13af0fc5305713f5154693feaf654d024689efea76390091a5e8c757335b4f4",
		},
		patterns: []string{"*.go"},
		generated: func(string) (map[string][]byte, error) {
			driver, err := embedded("go/main.go.txt")
			return map[string][]byte{"surehook/main.go": driver, "go.mod": []byte("module " + module + "\n\ngo 1.21\n")}, err
		},
		inputs: func() (map[string][]byte, error) {
			text, err := embedded("go/doc.text")
			return map[string][]byte{"doc.text": text}, err
		},
		commands: []string{"./blackfriday doc.text"},
	}
}
